import { limits } from '../../../lib/limits.ts';

/**
 * Returns the bytes that a value adds to a function's response. Lambda sends the result of a function as JSON, and the
 * body is a string in it, so the body is escaped a second time: each quote and backslash of its JSON takes two bytes.
 */
const bytesOnLambda = (value: unknown): number => Buffer.byteLength(JSON.stringify(JSON.stringify(value)));

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
  for (const [i, item] of items.entries()) {
    const view = viewOf(item);
    bytes += bytesOnLambda(view);
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
