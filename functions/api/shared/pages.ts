import { limits } from '../../../lib/limits.ts';

/**
 * Returns as many of the items, at least one, as fit into an answer, and whether any were left out or follow anyway.
 *
 * @param viewOf what is sent of an item. It is called only for the items that are looked at, because making a view can be
 *   expensive: the highlight of a long text has ten times its length
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
    bytes += Buffer.byteLength(JSON.stringify(view));
    if (bytes > limits.pageBytes && i > 0) return { items: items.slice(0, i), views, more: true };
    views.push(view);
  }
  return { items, views, more };
}

/** The answer for a page; with a `next` it also has a `Link` there. */
export const pageAnswer = <Page extends { next: string | null }>(page: Page, pageAt: (cursor: string) => string) => ({
  json: page,
  ...(page.next !== null && { headers: { link: `<${pageAt(page.next)}>; rel="next"` } }),
});
