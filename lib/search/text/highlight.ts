import { fold } from './fold.ts';

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] as string);

/** Returns the text as HTML with every match of `q` in `<em>`: leftmost, not overlapping, compared by {@link fold}. */
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
