import type { Ledger } from '../ledger/ledger.ts';
import { limits } from '../limits.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { Purge } from '../store/purging.ts';
import type { Store } from '../store/store.ts';

export interface PurgeServices {
  store: Pick<Store, 'purges' | 'purgeRows' | 'endPurge'>;
  searchIndex: Pick<SearchIndex, 'purge'>;
  ledger: Pick<Ledger, 'purge'>;
}

/**
 * Removes, in small steps, everything below the chats and applications that were deleted, and returns how many rows,
 * documents and ledger entries it removed. If it is stopped, the next run continues.
 *
 * Each is purged twice, because a worker that read a message just before the first pass may store it again. The second
 * pass runs when no write from before the deletion can still be in a queue.
 *
 * The purges run round-robin, one step each, so that neither a long purge nor a failing one keeps the others from
 * ending.
 *
 * @param mayContinue called before each step; `false` ends the run
 * @throws the first error of a purge that failed, after the others have ended
 */
export async function purgeDeleted(
  services: PurgeServices,
  now: number,
  mayContinue: () => boolean = () => true,
): Promise<number> {
  let removed = 0;
  const failures: unknown[] = [];
  const purges = (await services.store.purges(now)).map((purge) => stepsOf(services, purge, now));
  for (let steps = purges.shift(); steps && mayContinue(); steps = purges.shift()) {
    try {
      const { done, value } = await steps.next();
      if (done) continue;
      removed += value;
      purges.push(steps);
    } catch (error) {
      failures.push(error);
    }
    // Let other work on this thread run between two steps.
    await new Promise(setImmediate);
  }
  if (failures.length > 0) throw failures[0];
  return removed;
}

/** Runs a purge in steps. Yields after each step how many rows, documents or entries it removed. */
async function* stepsOf({ store, searchIndex, ledger }: PurgeServices, purge: Purge, now: number) {
  const steps = [
    () => store.purgeRows(purge, limits.purgeRows),
    () => searchIndex.purge(purge, limits.purgeRows),
    () => ledger.purge(purge, limits.purgeRows),
  ];
  for (const step of steps) {
    let count: number;
    do {
      count = await step();
      yield count;
    } while (count > 0);
  }
  await store.endPurge(purge, purge.pass === 1 ? now + limits.queueRetentionMs : undefined);
}
