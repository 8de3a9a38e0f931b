import type { WholeEntry } from '../ledger/ledger.ts';
import { limits } from '../limits.ts';
import { isCounter, outOfBounds } from '../model/bounds.ts';
import type { Parent } from '../model/keys.ts';
import { numbersOf, type Stretch, stretches } from '../model/ranges.ts';
import type { Write } from '../model/write.ts';
import { writesOfParent } from '../model/writes-of.ts';
import type { MergedParent } from '../store/inventory.ts';
import { compareCount } from './counts.ts';
import type { Difference, Lacking } from './difference.ts';
import { compareMessages } from './messages.ts';
import { missingNumbers } from './missing-numbers.ts';
import type { Run } from './run.ts';

/** Compares an application that the ledger knows, its chats and their messages. */
export async function* compareApplication(run: Run, token: string): AsyncGenerator<Difference> {
  const [entry] = await run.ledger.entries([{ token }]);
  if (!entry) return;
  const row = await run.store.mergedApplication(token);
  yield* completeStore(run, [{ entry, row }]);
  if (entry.deleted || row?.deleted) return;

  const highest = yield* highestOf(run, { token }, entry);
  let unstored = 0;
  for (const stretch of stretches(highest, limits.numbersCompared)) {
    // Signals and others get their turn, however many numbers hold nothing.
    await new Promise(setImmediate);
    run.signal?.throwIfAborted();
    unstored += yield* compareChats(run, token, stretch);
  }
  yield* compareCount(run, { token }, highest, unstored);
}

/** @returns how many chats of the stretch are not stored, and not void */
async function* compareChats(run: Run, token: string, stretch: Stretch): AsyncGenerator<Difference, number> {
  const numbers = numbersOf(stretch);
  const entries = await run.ledger.entries(numbers.map((chat) => ({ token, chat })));
  const rows = await run.store.mergedChats(token, stretch.from, stretch.to);
  const known = entries.flatMap((entry, i) => (entry ? [{ entry, row: rows.get(numbers[i] as number) }] : []));
  const completed = yield* completeStore(run, known);
  const missing = numbers.filter((chat, i) => !entries[i] && !isStored(rows.get(chat)));
  const unstored = completed + (yield* missingNumbers(run, { token }, stretch, missing));
  for (const { entry, row } of known) {
    const { chat } = entry;
    if (chat === undefined || entry.deleted || row?.deleted) continue;
    const highest = yield* highestOf(run, { token, chat }, entry);
    const notStored = yield* compareMessages(run, { token, chat }, highest);
    yield* compareCount(run, { token, chat }, highest, notStored);
    run.onChat({ token, chat, messages: highest });
  }
  return unstored;
}

/**
 * Names what is out of bounds in the entry, and numbers out of bounds that are stored below it.
 *
 * @returns the highest number to compare: the entry's or, where that is out of bounds, the highest stored one
 */
async function* highestOf({ store }: Run, parent: Parent, entry: WholeEntry): AsyncGenerator<Difference, number> {
  for (const fault of outOfBounds({ ...entry, counter: entry.highest }))
    yield { kind: 'out of bounds', ...parent, side: 'ledger', ...fault, repaired: false };
  const value = await store.numberOutOfBounds(parent);
  if (value > 0) yield { kind: 'out of bounds', ...parent, side: 'store', what: 'number', value, repaired: false };
  if (isCounter(entry.highest)) return entry.highest;
  const [stored = 0] = await store.highestNumbers([parent]);
  return stored;
}

/**
 * Stores what the ledger has whole: an application or chat, its name, that it is deleted. Merging takes no harm when the
 * real write comes after all.
 *
 * @returns how many had neither their creation nor their deletion stored
 */
async function* completeStore(
  { store, waiting, now, repair }: Run,
  known: { entry: WholeEntry; row: MergedParent | undefined }[],
): AsyncGenerator<Difference, number> {
  const writes: Write[] = [];
  const differences: Difference[] = [];
  let unstored = 0;
  for (const { entry, row } of known) {
    const lacking = lackingIn(row, entry);
    if (!lacking) continue;
    if (!isStored(row)) unstored++;
    if (!entry.deleted && outOfBounds(entry).length > 0) continue;
    writes.push(...writesOf(entry, now));
    const found = waiting.findParent(entry);
    differences.push({ kind: 'not in store', ...parentOf(entry), lacking, found, repaired: repair });
  }
  if (repair && writes.length > 0) await store.merge(writes);
  yield* differences;
  return unstored;
}

function lackingIn(row: MergedParent | undefined, entry: WholeEntry): Lacking | undefined {
  if (row?.deleted) return undefined;
  if (entry.deleted) return 'deletion';
  if (!isStored(row)) return 'everything';
  return row && row.revision < entry.revision ? 'edit' : undefined;
}

/** Whether the creation or the deletion has come; an edit alone does not count. */
const isStored = (row: MergedParent | undefined): boolean =>
  row !== undefined && (row.deleted || row.createdAt !== null);

const parentOf = ({ token, chat }: Parent): Parent => (chat === undefined ? { token } : { token, chat });

function writesOf(entry: WholeEntry, now: number): Write[] {
  if (entry.deleted) return [{ kind: 'deletion', ...parentOf(entry), at: now }];
  return writesOfParent(entry, entry.name, entry);
}
