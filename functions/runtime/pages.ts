import { limits } from '../../lib/limits.ts';
import type { Answer } from './answering.ts';

/**
 * As many of the items, at least one, as fit into an answer; `more` when any were left out or follow anyway.
 */
export function fitting<Item>(items: Item[], more: boolean): { items: Item[]; more: boolean } {
  let bytes = 0;
  for (const [i, item] of items.entries()) {
    bytes += Buffer.byteLength(JSON.stringify(item));
    if (bytes > limits.pageBytes && i > 0) return { items: items.slice(0, i), more: true };
  }
  return { items, more };
}

/** The answer for a page; with a `next` it also has a `Link` there. */
export const pageAnswer = (
  page: { data: unknown[]; next: string | null; [member: string]: unknown },
  pageAt: (cursor: string) => string,
): Answer => ({
  json: page,
  ...(page.next !== null && { headers: { link: `<${pageAt(page.next)}>; rel="next"` } }),
});
