import type { Ledger } from '../ledger/ledger.ts';
import { limits } from '../limits.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { Store } from '../store/store.ts';

export interface PurgeServices {
  store: Pick<Store, 'purges' | 'purgeRows' | 'endPurge'>;
  searchIndex: Pick<SearchIndex, 'purge'>;
  ledger: Pick<Ledger, 'purge'>;
}

/**
 * Removes, in small steps, everything below the chats and applications that were deleted, and answers how many rows,
 * documents and ledger entries went. What is left when it is stopped is found by the next run.
 *
 * Each is purged twice, the second time when no write from before the deletion can still be in a queue: a worker that
 * had read a message just before may have put it back.
 *
 * @param mayGoOn asked before each step; `false` ends the run
 */
export async function purgeDeleted(
  { store, searchIndex, ledger }: PurgeServices,
  now: number,
  mayGoOn: () => boolean = () => true,
): Promise<number> {
  let removed = 0;
  for (const purge of await store.purges(now)) {
    const steps = [
      () => store.purgeRows(purge, limits.purgeRows),
      () => searchIndex.purge(purge, limits.purgeRows),
      () => ledger.purge(purge, limits.purgeRows),
    ];
    for (const step of steps) {
      let count: number;
      do {
        if (!mayGoOn()) return removed;
        count = await step();
        removed += count;
        // Others get their turn between two steps, where they share the thread.
        await new Promise(setImmediate);
      } while (count > 0);
    }
    await store.endPurge(purge, purge.pass === 1 ? now + limits.queueRetentionMs : undefined);
  }
  return removed;
}
