import { isCounter } from '../model/bounds.ts';
import type { Parent } from '../model/keys.ts';
import type { Difference } from './difference.ts';
import type { Run } from './run.ts';

/**
 * Yields the difference of a wrong count. A count may lag by what is marked to be counted, and by numbers that are not
 * stored yet, which are marked when they are stored.
 *
 * @param compared.highest the counter when the numbers were compared
 * @param compared.unstored how many of them had no row and were not void
 */
export async function* compareCount(
  { store, ledger, repair }: Run,
  parent: Parent,
  { highest, unstored }: { highest: number; unstored: number },
): AsyncGenerator<Difference> {
  const wrongNow = async () => {
    const found = await store.count(parent);
    const [counter] = await ledger.counters([parent]);
    if (!found || found.marked || counter === undefined || !isCounter(counter)) return undefined;
    const expected = counter - found.notLive;
    const mayLag = unstored + counter - highest;
    return found.count > expected || found.count < expected - mayLag ? { count: found.count, expected } : undefined;
  };
  // The second check drops a count that a roll-up set between the statements of the first.
  const wrong = (await wrongNow()) && (await wrongNow());
  if (!wrong) return;
  if (repair) await store.recount(parent);
  yield { kind: 'wrong count', ...parent, ...wrong, repaired: repair };
}
