import { limits } from '../../../lib/limits.ts';

/**
 * Returns the bytes that a value adds to a function's response. Lambda sends the result of a function as JSON, and the
 * body is a string in it, so the body is escaped a second time: each quote and backslash of its JSON takes two bytes.
 */
const bytesOnLambda = (value: unknown): number => Buffer.byteLength(JSON.stringify(JSON.stringify(value)));

/**
 * Returns an upper bound of {@link bytesOnLambda} without serializing the value. A number takes at most 24 bytes, and a
 * character of a string at most 7: a control character is `\\u0000` when it is escaped twice. A comma or colon follows
 * each value.
 */
function mostBytesOnLambda(value: unknown): number {
  if (typeof value === 'string') return 7 * value.length + 5;
  if (typeof value !== 'object' || value === null) return 25;
  let most = 3;
  for (const name in value) most += mostBytesOnLambda(name) + mostBytesOnLambda(value[name as keyof object]);
  return most;
}

/**
 * Returns the first items, at least one, that fit into one response. `more` is true when items were left out or the
 * list continues after them.
 *
 * @param viewOf returns what is sent for an item. It is called only until the response is full, because making a view
 *   can be expensive: the highlight of a long text can have ten times its size
 */
export function fitting<Item, View>(
  items: Item[],
  more: boolean,
  viewOf: (item: Item) => View,
): { items: Item[]; views: View[]; more: boolean } {
  const views: View[] = [];
  let bytes = 0;
  let isExact = false;
  for (const [i, item] of items.entries()) {
    const view = viewOf(item);
    bytes += isExact ? bytesOnLambda(view) : mostBytesOnLambda(view);
    if (bytes > limits.pageBytes && !isExact) {
      isExact = true;
      bytes = [...views, view].reduce((sum, each) => sum + bytesOnLambda(each), 0);
    }
    if (bytes > limits.pageBytes && i > 0) return { items: items.slice(0, i), views, more: true };
    views.push(view);
  }
  return { items, views, more };
}

/** Returns the response for a page, with a `Link` header to the next page if there is one. */
export const pageResponse = <Page extends { next: string | null }>(page: Page, pageAt: (cursor: string) => string) => ({
  json: page,
  ...(page.next !== null && { headers: { link: `<${pageAt(page.next)}>; rel="next"` } }),
});
