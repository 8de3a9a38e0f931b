import { isCounter } from '../model/bounds.ts';
import type { Parent } from '../model/keys.ts';
import type { Difference } from './difference.ts';
import type { Run } from './run.ts';

/**
 * Yields a difference when a count is wrong. A count with a dirty mark is not checked. A count is accepted if it is too
 * low by at most the number of messages or chats that are not stored yet: storing one sets a dirty mark, and the next
 * roll-up corrects the count.
 *
 * @param compared.highest the counter when the numbers were compared
 * @param compared.unstored how many of the numbers had no row and were not void
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
    const expected = counter - found.notExisting;
    const mayLag = unstored + counter - highest;
    return found.count > expected || found.count < expected - mayLag ? { count: found.count, expected } : undefined;
  };
  // Check twice, because a roll-up may set the count between the two reads of the first check.
  const wrong = (await wrongNow()) && (await wrongNow());
  if (!wrong) return;
  if (repair) await store.recount(parent);
  yield { kind: 'wrong count', ...parent, ...wrong, repaired: repair };
}
