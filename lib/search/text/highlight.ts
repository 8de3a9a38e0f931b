import { fold } from './fold.ts';

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] as string);
const asItIs = (text: string): string => text;

/** Returns the text as HTML with every match of `q` in `<em>`: leftmost, not overlapping, compared by {@link fold}. */
export function highlight(text: string, q: string): string {
  const [haystack, needle] = [fold(text), fold(q)];
  // Most texts have no such character, and a text with many matches has many parts.
  const escaped = /[&<>"']/.test(text) ? escapeHtml : asItIs;
  let html = '';
  let end = 0;
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, end)) {
    html += `${escaped(text.slice(end, at))}<em>${escaped(text.slice(at, at + needle.length))}</em>`;
    end = at + needle.length;
  }
  return html + escaped(text.slice(end));
}
