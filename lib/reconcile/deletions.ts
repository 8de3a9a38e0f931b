import { limits } from '../limits.ts';
import type { ChatKey } from '../model/keys.ts';
import { type NumberRange, numbersOf } from '../model/ranges.ts';
import type { Write } from '../model/write.ts';
import { noRevisions, tombstoneVersion } from '../search/search-index.ts';
import type { MessageVersion } from '../store/inventory.ts';
import type { Difference } from './difference.ts';
import { NumberSet } from './number-set.ts';
import type { Page } from './pages.ts';
import type { Run } from './run.ts';

/** Returns the numbers of a chat's messages that are deleted according to the ledger. */
export async function deletionsOf({ ledger }: Run, chat: ChatKey): Promise<NumberSet> {
  const deletions = new NumberSet();
  for await (const numbers of ledger.deletedMessages(chat, limits.numbersCompared))
    for (const number of numbers) deletions.add(number);
  return deletions;
}

/**
 * Compares a page with the deletions of the ledger. Stores those that both store and index lack, for example because
 * both were restored from a backup: otherwise a deleted message could be read again. Edits are not compared, because
 * the ledger has no text to repair an edit with. Nor does a higher revision in the ledger prove that an edit is
 * missing: a request that failed with 503 may have taken a revision without sending a write.
 *
 * @param assigned the range of assigned numbers in the page
 * @returns the differences, and the rows including these deletions
 */
export async function completeDeletions(
  { store, waiting, now, repair: repaired }: Run,
  { chat, rows, documents }: Page,
  { assigned, deletions }: { assigned: NumberRange; deletions: NumberSet },
): Promise<{ differences: Difference[]; rows: MessageVersion[] }> {
  const known = new Set([
    ...rows.flatMap(({ number, deleted }) => (deleted ? [number] : [])),
    ...documents.flatMap(({ number, version }) => (version === tombstoneVersion ? [number] : [])),
  ]);
  const lacking = new Set(numbersOf(assigned).filter((number) => deletions.has(number) && !known.has(number)));
  const writes = [...lacking].map((number): Write => ({ kind: 'deletion', ...chat, number, at: now }));
  if (repaired && writes.length > 0) await store.merge(writes);
  const differences = [...lacking].map((number): Difference => {
    const found = waiting.find(chat, number);
    return { kind: 'not in store', ...chat, number, lacking: 'deletion', found, repaired };
  });
  const deleted = [...lacking].map((number) => ({ number, revisions: noRevisions, deleted: true, created: false }));
  const others = rows.filter(({ number }) => !lacking.has(number));
  return { differences, rows: [...others, ...deleted].toSorted((a, b) => a.number - b.number) };
}
