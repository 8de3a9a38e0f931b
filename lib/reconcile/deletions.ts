import { limits } from '../limits.ts';
import type { Write } from '../model/write.ts';
import { type DocumentVersion, tombstoneVersion } from '../search/search-index.ts';
import type { MessageVersion } from '../store/inventory.ts';
import type { Difference } from './difference.ts';
import { NumberSet } from './number-set.ts';
import type { Run } from './run.ts';

interface Chat {
  token: string;
  chat: number;
}

/** The messages of a chat that the ledger has as deleted. */
export async function deletionsOf({ ledger }: Run, chat: Chat): Promise<NumberSet> {
  const deletions = new NumberSet();
  for await (const numbers of ledger.deletedMessages(chat, limits.numbersCompared))
    for (const number of numbers) deletions.add(number);
  return deletions;
}

/**
 * Stores the deletions that neither store nor index know of, as when both were set back: without it, what somebody had
 * deleted could be read again. Edits are not looked for: the ledger has no text to mend one with, and a request that was
 * answered 503 may have taken a revision that nothing came under.
 *
 * @param numbers those to look at, with their rows and documents
 * @returns the rows as they are then
 */
export async function* completeDeletions(
  { store, waiting, now, repair: repaired }: Run,
  chat: Chat,
  deletions: NumberSet,
  numbers: { from: number; to: number; rows: MessageVersion[]; documents: DocumentVersion[] },
): AsyncGenerator<Difference, MessageVersion[]> {
  const { from, to, rows, documents } = numbers;
  const known = new Set([
    ...rows.flatMap(({ number, deleted }) => (deleted ? [number] : [])),
    ...documents.flatMap(({ number, version }) => (version === tombstoneVersion ? [number] : [])),
  ]);
  const lacking = new Set<number>();
  for (let number = from; number <= to; number++) if (deletions.has(number) && !known.has(number)) lacking.add(number);
  const writes = [...lacking].map((number): Write => ({ kind: 'deletion', ...chat, number, at: now }));
  if (repaired && writes.length > 0) await store.merge(writes);
  for (const number of lacking)
    yield { kind: 'not in store', ...chat, number, lacking: 'deletion', found: waiting.find(chat, number), repaired };
  const others = rows.filter(({ number }) => !lacking.has(number));
  const deleted = [...lacking].map((number) => ({ number, revision: 0, deleted: true, created: false }));
  return [...others, ...deleted].sort((one, other) => one.number - other.number);
}
