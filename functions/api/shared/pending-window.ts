import type { ListRange } from '../../../lib/store/reads.ts';

/** Numbers of a chat's messages, both ends inclusive, in the direction of the list: `first > last` when it descends. */
interface Window {
  first: number;
  last: number;
}

interface Numbered {
  number: number;
}

/**
 * Returns the numbers that a page of messages covers; undefined for an empty page, which covers none.
 *
 * A page covers every number up to that of its last message. Numbers are assigned in order, so all of them have been
 * assigned, and those without a stored message can be pending. The page begins after the previous page or, on the first
 * page, after `after`. A descending list without a cursor begins at its first message, because higher numbers may not
 * be assigned yet.
 *
 * @param from the number at which the previous page ended; undefined on the first page
 */
export function coveredWindow(
  items: readonly Numbered[],
  { order, after = 0 }: Pick<ListRange, 'order' | 'after'>,
  from: number | undefined,
): Window | undefined {
  const [head, last] = [items[0]?.number, items.at(-1)?.number];
  if (head === undefined || last === undefined) return undefined;
  if (order === 'asc') return { first: (from ?? after) + 1, last };
  return { first: from === undefined ? head : from - 1, last };
}

interface ReadPage<Item> extends Window {
  /** The stored messages, in the order of the list. */
  items: readonly Item[];
  /** Whether the list continues after `last`. */
  more: boolean;
  /** The most pending numbers that one response lists. */
  maxPending: number;
}

/**
 * Returns the part of a page that one response can hold. When more than `maxPending` numbers are missing, the page ends
 * before the first one that it cannot list, and the next page begins there.
 *
 * @param missing the numbers of the page's window that are not stored yet, in the order of the list; up to
 *   `maxPending + 1` of them
 */
export function pendingWindow<Item extends Numbered>(
  { items, first, last, more, maxPending }: ReadPage<Item>,
  missing: readonly number[],
): { items: readonly Item[]; pending: readonly number[]; last: number; more: boolean } {
  const unlisted = missing[maxPending];
  if (unlisted === undefined) return { items, pending: missing, last, more };
  const ascending = first <= last;
  return {
    items: items.filter(({ number }) => (ascending ? number < unlisted : number > unlisted)),
    pending: missing.slice(0, maxPending),
    last: ascending ? unlisted - 1 : unlisted + 1,
    more: true,
  };
}
