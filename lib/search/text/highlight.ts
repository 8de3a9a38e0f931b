import { fold } from './fold.ts';

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] as string);

/** The text as HTML, every leftmost, non-overlapping match of `q` (see {@link fold}) in `<em>`. */
export function highlight(text: string, q: string): string {
  const [haystack, needle] = [fold(text), fold(q)];
  let html = '';
  let end = 0;
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, end)) {
    html += `${escapeHtml(text.slice(end, at))}<em>${escapeHtml(text.slice(at, at + needle.length))}</em>`;
    end = at + needle.length;
  }
  return html + escapeHtml(text.slice(end));
}
