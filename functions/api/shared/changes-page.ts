import type { Change, ChangesPage } from '../../../lib/store/changes.ts';
import { fitting } from './pages.ts';

/**
 * Returns the part of a page that a client gets. The page ends before the first version that does not fit as a whole. A
 * version is split only if it does not fit on a page of its own. Then `end` is the position of the last change on the
 * page, and `change` is the version before the split one, so a client that loses its cursor gets the whole version
 * again.
 *
 * @param version the current version of the chat or application, read before the page
 */
export function changesPage<Stored, View extends { change: number }>(
  { changes, next }: ChangesPage<Stored>,
  viewOf: (change: Change<Stored>) => View,
  version: number,
): { data: View[]; change: number; more: boolean; end?: [version: number, number: number] } {
  const page = fitting(changes, next !== undefined, viewOf);
  const splitAt = changes[page.items.length]?.version ?? next;
  const last = page.items.at(-1);
  if (splitAt === undefined || !last) return { data: page.views, change: version, more: false };
  const whole = page.views.filter(({ change }) => change < splitAt);
  const upTo = { change: splitAt - 1, more: true };
  return whole.length > 0 ? { data: whole, ...upTo } : { data: page.views, ...upTo, end: [last.version, last.number] };
}
