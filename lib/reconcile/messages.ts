import { outOfBounds } from '../model/bounds.ts';
import { lastRevision } from '../model/content.ts';
import type { ChatKey, MessageKey } from '../model/keys.ts';
import { numbersOf } from '../model/ranges.ts';
import type { Write } from '../model/write.ts';
import { writesOfMessage } from '../model/writes-of.ts';
import { documentsOf } from '../search/documents-of.ts';
import { RefusedDocuments, type SearchDocument, tombstoneVersion, versionOf } from '../search/search-index.ts';
import type { MessageVersion } from '../store/inventory.ts';
import { completeDeletions, deletionsOf } from './deletions.ts';
import type { Compared, Difference, Lacking } from './difference.ts';
import { missingNumbers } from './missing-numbers.ts';
import type { NumberSet } from './number-set.ts';
import { type Page, pages } from './pages.ts';
import type { Run } from './run.ts';

/** The highest assigned and the highest stored message number of a chat. */
interface Highest {
  assigned: number;
  stored: number;
}

/**
 * Compares the messages of a chat by number, page by page. Reads the index before the store, and the store before the
 * ledger. Unless one of them was restored from a backup, the store is ahead of the index, and the ledger is ahead of
 * the store.
 *
 * @param assigned the highest number assigned to a message
 */
export async function* compareMessages(run: Run, chat: ChatKey, assigned: number): AsyncGenerator<Compared> {
  const deletions = await deletionsOf(run, chat);
  const [stored = 0] = await run.store.highestNumbers([chat]);
  const highest = { assigned, stored };
  let isReported = false;
  for await (const page of pages(run, chat, Math.max(assigned, stored))) {
    if (page.outOfBounds !== undefined && !isReported) {
      isReported = true;
      yield { differences: [numberOutOfBounds(chat, page.outOfBounds)], unstored: 0 };
    }
    yield await comparePage(run, page, { highest, deletions });
  }
}

async function comparePage(
  run: Run,
  page: Page,
  { highest, deletions }: { highest: Highest; deletions: NumberSet },
): Promise<Compared> {
  const { chat, range } = page;
  const assigned = { from: range.from, to: Math.max(range.from - 1, Math.min(range.to, highest.assigned)) };
  const withLedger = await compareWithLedger(run, page);
  const completed = await completeDeletions(run, page, { assigned, deletions });
  const top = Math.max(highest.assigned, highest.stored);
  const rows = completed.rows.filter(({ number }) => number <= top);
  const withIndex = await compareWithIndex(run, { ...page, rows });

  const known = storedIn(completed.rows);
  const missing = numbersOf(assigned).filter((number) => !known.has(number) && !withIndex.onlyInIndex.has(number));
  const noted = await missingNumbers(run, chat, { range, missing });
  const deletionsOnlyInLedger = known.size - storedIn(page.rows).size;
  return {
    differences: [...withLedger, ...completed.differences, ...withIndex.differences, ...noted.differences],
    unstored: deletionsOnlyInLedger + withIndex.onlyInIndex.size + noted.unstored,
  };
}

const numberOutOfBounds = (chat: ChatKey, value: number): Difference => ({
  kind: 'out of bounds',
  ...chat,
  side: 'index',
  what: 'number',
  value,
  repaired: false,
});

/** Returns the numbers whose creation or deletion is stored. */
const storedIn = (rows: MessageVersion[]): Set<number> =>
  new Set(rows.flatMap(({ number, deleted, created }) => (deleted || created ? [number] : [])));

/** Compares a page with the ledger. A repair restores the edits and deletions that the ledger lacks. */
async function compareWithLedger(run: Run, { chat, rows }: Page): Promise<Difference[]> {
  const { ledger, repair } = run;
  const changed = rows
    .map(({ number, revisions, deleted }) => ({ number, revision: lastRevision(revisions), deleted }))
    .filter(({ revision, deleted }) => revision > 0 || deleted);
  if (changed.length === 0) return [];
  const known = await ledger.changedMessages(changed.map(({ number }) => ({ ...chat, number })));
  const differences: Difference[] = [];
  for (const [i, { number, revision, deleted }] of changed.entries()) {
    const entry = known[i];
    const [inStore] = outOfBounds({ revision });
    const [inLedger] = outOfBounds({ revision: entry?.revision ?? null });
    const about = { kind: 'out of bounds', ...chat, number, repaired: false } as const;
    if (inStore) differences.push({ ...about, side: 'store', ...inStore });
    if (inLedger) differences.push({ ...about, side: 'ledger', ...inLedger });
    if (inStore || entry?.deleted) continue;
    if (!deleted && revision <= (entry?.revision ?? 0)) continue;
    if (repair) await ledger.restoreMessage({ ...chat, number, revision, deleted });
    const lacking = deleted ? 'deletion' : 'edit';
    differences.push({ kind: 'not in ledger', ...chat, number, lacking, repaired: repair });
  }
  return differences;
}

/** Returns the version that the index must have of a row; undefined for an edit whose message has not arrived. */
const wantedVersion = ({ revisions, deleted, created }: MessageVersion): number | undefined => {
  if (deleted) return tombstoneVersion;
  return created ? versionOf(revisions) : undefined;
};

const lackingOf = (newer: number, older: number | undefined): Lacking => {
  if (older === undefined) return 'everything';
  return newer === tombstoneVersion ? 'deletion' : 'edit';
};

/**
 * Compares store and index. The higher version wins, as when writes are merged.
 *
 * @returns the differences, and the numbers that only the index has
 */
async function compareWithIndex(
  run: Run,
  { chat, rows, documents }: Page,
): Promise<{ differences: Difference[]; onlyInIndex: Set<number> }> {
  const wanted = new Map(rows.map((row) => [row.number, wantedVersion(row)]));
  const held = new Map(documents.map(({ number, version }) => [number, version]));
  const numbers = [...new Set([...wanted.keys(), ...held.keys()])];
  const compared = numbers.map((number) => ({ number, want: wanted.get(number), have: held.get(number) }));
  const toIndex = compared.flatMap(({ number, want, have }) =>
    want !== undefined && (have === undefined || have < want) ? [{ number, lacking: lackingOf(want, have) }] : [],
  );
  const toStore = compared.flatMap(({ number, want, have }) =>
    have !== undefined && (want === undefined || want < have) ? [{ number, lacking: lackingOf(have, want) }] : [],
  );
  const keysOf = (some: { number: number }[]) => some.map(({ number }) => ({ ...chat, number }));
  const refused = run.repair ? await indexFromStore(run, keysOf(toIndex)) : new Set<number>();
  const notStored = run.repair ? await storeFromIndex(run, keysOf(toStore)) : new Set<number>();
  return {
    differences: [
      ...toIndex.map(({ number, lacking }): Difference => {
        return { kind: 'not in index', ...chat, number, lacking, repaired: run.repair && !refused.has(number) };
      }),
      ...toStore.map(({ number, lacking }): Difference => {
        return { kind: 'newer in index', ...chat, number, lacking, repaired: run.repair && !notStored.has(number) };
      }),
    ],
    onlyInIndex: new Set(
      compared.flatMap(({ number, want, have }) => (have !== undefined && want === undefined ? [number] : [])),
    ),
  };
}

/** Indexes the messages as they are in the store now. Returns the numbers of those that the index refuses for good. */
async function indexFromStore({ store, searchIndex }: Run, keys: MessageKey[]): Promise<Set<number>> {
  if (keys.length === 0) return new Set();
  try {
    await searchIndex.index((await store.merged(keys)).flatMap(documentsOf));
    return new Set();
  } catch (error) {
    if (!(error instanceof RefusedDocuments)) throw error;
    return new Set(error.documents.map(({ document }) => document.number));
  }
}

/**
 * Stores the messages as they are in the index. Writes that arrive meanwhile are merged with them.
 *
 * @returns the numbers of messages that were not stored, because their revision or times are out of bounds
 */
async function storeFromIndex({ store, searchIndex }: Run, keys: MessageKey[]): Promise<Set<number>> {
  const notStored = new Set<number>();
  for (const key of keys) {
    const document = await searchIndex.document(key);
    if (!document) continue;
    const { content, revisions, createdAt, updatedAt } = document;
    const faults = outOfBounds(
      content === null ? { updatedAt } : { revision: lastRevision(revisions), createdAt, updatedAt },
    );
    if (faults.length > 0) notStored.add(key.number);
    else await store.merge(writesOfDocument(document));
  }
  return notStored;
}

function writesOfDocument(document: SearchDocument): Write[] {
  const { token, chat, number, content, revisions, createdAt, updatedAt } = document;
  if (content === null) return [{ kind: 'deletion', token, chat, number, at: updatedAt }];
  return writesOfMessage(document, { content, revisions, createdAt, updatedAt });
}
