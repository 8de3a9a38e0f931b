import type { Ledger } from '../ledger/ledger.ts';
import { limits } from '../limits.ts';
import { isCounter } from '../model/bounds.ts';
import { DependencyFailure } from '../model/errors.ts';
import type { Mark } from '../store/counting.ts';
import type { Store } from '../store/store.ts';

type RolledUpStore = Pick<Store, 'marks' | 'setCounts'>;
type Counters = Pick<Ledger, 'counters'>;

/**
 * Sets `chats_count` and `messages_count` of everything that is marked as changed, and returns the number of marks that
 * it visited. Counts are set, never incremented, so the roll-up may stop half-way, run again, or run twice at once.
 *
 * A mark whose counter is out of bounds, or whose count cannot be read or set, is skipped: it stays for the next run,
 * and all others are counted.
 *
 * @param onSkipped called at the end with the number of skipped marks and the first error, if there are any
 * @throws DependencyFailure; also the first error of a page if every mark of the page fails, because then the cause is
 *   the ledger or the store and not a mark
 */
export async function rollUp(
  store: RolledUpStore,
  ledger: Counters,
  onSkipped: (skipped: { marks: number; error: unknown }) => void = () => undefined,
): Promise<number> {
  let visited = 0;
  const skipped: Skipped[] = [];
  let last: Mark | undefined;
  do {
    const marks: Mark[] = await store.marks(limits.rollupMarks, last);
    const failed = await count(store, ledger, marks);
    if (marks.length > 0 && failed.length === marks.length && failed.every(({ error }) => error !== undefined))
      throw failed[0]?.error;
    skipped.push(...failed);
    visited += marks.length;
    last = marks.length === limits.rollupMarks ? marks.at(-1) : undefined;
  } while (last);
  if (skipped.length > 0)
    onSkipped({ marks: skipped.length, error: skipped.find(({ error }) => error !== undefined)?.error });
  return visited;
}

/** A mark that was not counted. Without an error, its counter is out of bounds. */
interface Skipped {
  error?: unknown;
}

/** Counts a page. When the page fails, its halves are counted separately, until the failing mark is alone. */
async function count(store: RolledUpStore, ledger: Counters, marks: Mark[]): Promise<Skipped[]> {
  try {
    // Marks are read before the counters. A write accepted in between is counted now, and marked again when it is
    // stored.
    const counters = await ledger.counters(marks);
    const isCountable = (_: unknown, i: number) => {
      const counter = counters[i];
      return counter === undefined || isCounter(counter);
    };
    const countable = marks.filter(isCountable);
    await store.setCounts(countable, counters.filter(isCountable));
    return Array.from({ length: marks.length - countable.length }, () => ({}));
  } catch (error) {
    // An outage affects every mark.
    if (error instanceof DependencyFailure) throw error;
    if (marks.length === 1) return [{ error }];
    const middle = Math.ceil(marks.length / 2);
    return [
      ...(await count(store, ledger, marks.slice(0, middle))),
      ...(await count(store, ledger, marks.slice(middle))),
    ];
  }
}
