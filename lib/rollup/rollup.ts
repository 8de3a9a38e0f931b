import type { Ledger } from '../ledger/ledger.ts';
import { limits } from '../limits.ts';
import type { Mark, Store } from '../store/store.ts';

/**
 * Brings `chats_count` and `messages_count` to the truth for everything that is marked as changed, and answers how many
 * marks it visited. Counts are set, never added to, so it may stop half-way, run again, or run twice at once.
 */
export async function rollUp(
  store: Pick<Store, 'marks' | 'setCounts'>,
  ledger: Pick<Ledger, 'counters'>,
): Promise<number> {
  let visited = 0;
  let last: Mark | undefined;
  do {
    // Marks are read before the counters: a write accepted in between is counted now and marked again when it is stored.
    const marks: Mark[] = await store.marks(limits.rollupMarks, last);
    await store.setCounts(marks, await ledger.counters(marks));
    visited += marks.length;
    last = marks.length === limits.rollupMarks ? marks.at(-1) : undefined;
  } while (last);
  return visited;
}
