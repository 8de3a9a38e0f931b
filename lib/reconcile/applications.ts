import type { WholeEntry } from '../ledger/ledger.ts';
import { limits } from '../limits.ts';
import { isCounter, outOfBounds } from '../model/bounds.ts';
import type { Parent } from '../model/keys.ts';
import { type NumberRange, numbersOf, ranges } from '../model/ranges.ts';
import type { Write } from '../model/write.ts';
import { writesOfParent } from '../model/writes-of.ts';
import type { MergedParent } from '../store/inventory.ts';
import { compareCount } from './counts.ts';
import type { Compared, Difference, Lacking } from './difference.ts';
import { compareMessages } from './messages.ts';
import { missingNumbers } from './missing-numbers.ts';
import type { Run } from './run.ts';
import { compareVersion } from './versions.ts';

/** Compares an application of the ledger, its chats and their messages. */
export async function* compareApplication(run: Run, token: string): AsyncGenerator<Difference> {
  const [entry] = await run.ledger.entries([{ token }]);
  if (!entry) return;
  const row = await run.store.mergedApplication(token);
  yield* (await completeStore(run, [{ entry, row }])).differences;
  if (entry.deleted || row?.deleted) return;

  const highest = await highestOf(run, { token }, entry);
  yield* highest.differences;
  let unstored = 0;
  for (const range of ranges(highest.number, limits.numbersCompared)) {
    // Let signals and other work run, even when many numbers have nothing to compare.
    await new Promise(setImmediate);
    run.signal?.throwIfAborted();
    const chats = await compareChats(run, token, range);
    yield* chats.differences;
    unstored += chats.unstored;
    for (const chat of chats.known) yield* compareChat(run, chat);
  }
  yield* compareCount(run, { token }, { highest: highest.number, unstored });
  yield* compareVersion(run, { token });
}

/** An application or chat in the ledger and in the store. */
interface Known {
  entry: WholeEntry;
  row: MergedParent | undefined;
}

/** Compares the chats of the range, without their messages. `known` are the chats that are in the ledger. */
async function compareChats(run: Run, token: string, range: NumberRange): Promise<Compared & { known: Known[] }> {
  const numbers = numbersOf(range);
  const entries = await run.ledger.entries(numbers.map((chat) => ({ token, chat })));
  const rows = await run.store.mergedChats(token, range);
  const known = entries.flatMap((entry, i) => (entry ? [{ entry, row: rows.get(numbers[i] as number) }] : []));
  const completed = await completeStore(run, known);
  const missing = numbers.filter((chat, i) => !entries[i] && !isStored(rows.get(chat)));
  const noted = await missingNumbers(run, { token }, { range, missing });
  return {
    differences: [...completed.differences, ...noted.differences],
    unstored: completed.unstored + noted.unstored,
    known,
  };
}

/** Compares the messages of a chat and their count. */
async function* compareChat(run: Run, { entry, row }: Known): AsyncGenerator<Difference> {
  const { token, chat } = entry;
  if (chat === undefined || entry.deleted || row?.deleted) return;
  const highest = await highestOf(run, { token, chat }, entry);
  yield* highest.differences;
  let unstored = 0;
  for await (const messages of compareMessages(run, { token, chat }, highest.number)) {
    yield* messages.differences;
    unstored += messages.unstored;
  }
  yield* compareCount(run, { token, chat }, { highest: highest.number, unstored });
  yield* compareVersion(run, { token, chat });
  run.onChat({ token, chat, messages: highest.number });
}

/**
 * Finds values that are out of bounds: those of the entry, and the highest number stored below it.
 *
 * @returns them as differences, and the highest number to compare: the entry's or, when that is out of bounds, the
 *   highest stored one
 */
async function highestOf(
  { store }: Run,
  parent: Parent,
  entry: WholeEntry,
): Promise<{ differences: Difference[]; number: number }> {
  const differences = outOfBounds({ ...entry, counter: entry.highest }).map((fault): Difference => {
    return { kind: 'out of bounds', ...parent, side: 'ledger', ...fault, repaired: false };
  });
  const value = await store.numberOutOfBounds(parent);
  if (value > 0)
    differences.push({ kind: 'out of bounds', ...parent, side: 'store', what: 'number', value, repaired: false });
  if (isCounter(entry.highest)) return { differences, number: entry.highest };
  const [stored = 0] = await store.highestNumbers([parent]);
  return { differences, number: stored };
}

/**
 * Stores what the ledger has and the store lacks: an application or chat, its last edit, or its deletion. If the real
 * write arrives later, merging it changes nothing.
 *
 * @returns the differences, and how many applications or chats had neither their creation nor their deletion stored
 */
async function completeStore({ store, waiting, now, repair }: Run, known: Known[]): Promise<Compared> {
  const writes: Write[] = [];
  const differences: Difference[] = [];
  let unstored = 0;
  for (const { entry, row } of known) {
    const lacking = lackingInStore(row, entry);
    if (!lacking) continue;
    if (!isStored(row)) unstored++;
    if (!entry.deleted && outOfBounds(entry).length > 0) continue;
    writes.push(...writesOfEntry(entry, now));
    const found = waiting.findParent(entry);
    differences.push({ kind: 'not in store', ...parentOf(entry), lacking, found, repaired: repair });
  }
  if (repair && writes.length > 0) await store.merge(writes);
  return { differences, unstored };
}

function lackingInStore(row: MergedParent | undefined, entry: WholeEntry): Lacking | undefined {
  if (row?.deleted) return undefined;
  if (entry.deleted) return 'deletion';
  if (!isStored(row)) return 'everything';
  return row && row.revision < entry.revision ? 'edit' : undefined;
}

/** Returns whether the creation or the deletion is stored; an edit alone does not count. */
const isStored = (row: MergedParent | undefined): boolean =>
  row !== undefined && (row.deleted || row.createdAt !== null);

const parentOf = ({ token, chat }: Parent): Parent => (chat === undefined ? { token } : { token, chat });

function writesOfEntry(entry: WholeEntry, now: number): Write[] {
  if (entry.deleted) return [{ kind: 'deletion', ...parentOf(entry), at: now }];
  return writesOfParent(entry, entry);
}
