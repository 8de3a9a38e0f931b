import { limits } from '../limits.ts';
import { isNumber, outOfBounds } from '../model/bounds.ts';
import type { MessageKey } from '../model/keys.ts';
import type { Write } from '../model/write.ts';
import { writesOfMessage } from '../model/writes-of.ts';
import { documentsOf } from '../search/documents-of.ts';
import {
  type DocumentVersion,
  RefusedDocuments,
  type SearchDocument,
  tombstoneVersion,
} from '../search/search-index.ts';
import type { MessageVersion } from '../store/inventory.ts';
import { completeDeletions, deletionsOf } from './deletions.ts';
import type { Difference, Lacking } from './difference.ts';
import { missingNumbers } from './missing-numbers.ts';
import type { Run } from './run.ts';

interface Chat {
  token: string;
  chat: number;
}

/**
 * Compares the messages of a chat by number, a page at a time. The index is read before the store, and the store before
 * the ledger: each is ahead of the one before it, unless it was restored.
 *
 * @param highest the highest number given
 * @returns how many of the numbers given are not stored, and not void
 */
export async function* compareMessages(run: Run, chat: Chat, highest: number): AsyncGenerator<Difference, number> {
  const { store, searchIndex } = run;
  const deletions = await deletionsOf(run, chat);
  const [stored = 0] = await store.highestNumbers([chat]);
  const top = Math.max(highest, stored);
  const page = limits.numbersCompared;
  let unstored = 0;
  let goesOn = true;
  let namedIndex = false;
  for (let after = 0; goesOn; ) {
    run.signal?.throwIfAborted();
    const listed = await searchIndex.versions(chat.token, chat.chat, after, page);
    const held = listed.filter(({ number }) => isNumber(number));
    const last = listed.at(-1)?.number ?? 0;
    if (held.length < listed.length && !namedIndex) {
      yield { kind: 'out of bounds', ...chat, side: 'index', what: 'number', value: last, repaired: false };
      namedIndex = true;
    }
    // Others get their turn between two pages, where they share the thread.
    await new Promise(setImmediate);
    // Behind the highest number there is nothing but what the index alone has, however far apart.
    const to = after < top ? Math.min(after + page, limits.highestNumber) : (held.at(-1)?.number ?? after);
    const documents = held.filter(({ number }) => number <= to);
    const merged = await store.messageVersions(chat.token, chat.chat, after + 1, to);
    yield* compareWithLedger(run, chat, merged);
    const numbers = { from: after + 1, to: Math.min(to, highest), rows: merged, documents };
    const rows = yield* completeDeletions(run, chat, deletions, numbers);
    const onlyInIndex = yield* compareWithIndex(
      run,
      chat,
      rows.filter(({ number }) => number <= top),
      documents,
    );

    const known = storedIn(rows);
    const missing: number[] = [];
    for (let number = after + 1; number <= Math.min(to, highest); number++)
      if (!known.has(number) && !onlyInIndex.has(number)) missing.push(number);
    unstored += known.size - storedIn(merged).size + onlyInIndex.size;
    unstored += yield* missingNumbers(run, chat, { from: after + 1, to }, missing);
    goesOn = to < top || held.length === page || held.length > documents.length;
    after = to;
  }
  return unstored;
}

/** Those whose creation or deletion has come. */
const storedIn = (rows: MessageVersion[]): Set<number> =>
  new Set(rows.flatMap(({ number, deleted, created }) => (deleted || created ? [number] : [])));

/** What the ledger lacks of edits and deletions. */
async function* compareWithLedger(run: Run, chat: Chat, rows: MessageVersion[]): AsyncGenerator<Difference> {
  const { ledger, repair } = run;
  const changed = rows.filter(({ revision, deleted }) => revision > 0 || deleted);
  if (changed.length === 0) return;
  const known = await ledger.changedMessages(changed.map(({ number }) => ({ ...chat, number })));
  for (const [i, { number, revision, deleted }] of changed.entries()) {
    const entry = known[i];
    const [inStore] = outOfBounds({ revision });
    const [inLedger] = outOfBounds({ revision: entry?.revision ?? null });
    const about = { kind: 'out of bounds', ...chat, number, repaired: false } as const;
    if (inStore) yield { ...about, side: 'store', ...inStore };
    if (inLedger) yield { ...about, side: 'ledger', ...inLedger };
    if (inStore) continue;
    if (entry?.deleted) continue;
    if (!deleted && revision <= (entry?.revision ?? 0)) continue;
    if (repair) await ledger.restoreMessage({ ...chat, number, revision, deleted });
    yield { kind: 'not in ledger', ...chat, number, lacking: deleted ? 'deletion' : 'edit', repaired: repair };
  }
}

/** The version that the index is to hold of a row; none of an edit whose message has not come. */
const versionOf = ({ revision, deleted, created }: MessageVersion): number | undefined => {
  if (deleted) return tombstoneVersion;
  return created ? revision : undefined;
};

const lackingOf = (newer: number, older: number | undefined): Lacking => {
  if (older === undefined) return 'everything';
  return newer === tombstoneVersion ? 'deletion' : 'edit';
};

/**
 * What index and store lack of each other: the higher version counts, as in merging.
 *
 * @returns the numbers that are in the index, and not at all in the store
 */
async function* compareWithIndex(
  run: Run,
  chat: Chat,
  rows: MessageVersion[],
  documents: DocumentVersion[],
): AsyncGenerator<Difference, Set<number>> {
  const wanted = new Map(rows.map((row) => [row.number, versionOf(row)]));
  const held = new Map(documents.map(({ number, version }) => [number, version]));
  const [toIndex, toStore]: [Map<number, Lacking>, Map<number, Lacking>] = [new Map(), new Map()];
  const onlyInIndex = new Set<number>();
  for (const number of new Set([...wanted.keys(), ...held.keys()])) {
    const [want, have] = [wanted.get(number), held.get(number)];
    if (want !== undefined && (have === undefined || have < want)) toIndex.set(number, lackingOf(want, have));
    else if (have !== undefined && (want === undefined || want < have)) toStore.set(number, lackingOf(have, want));
    if (have !== undefined && want === undefined) onlyInIndex.add(number);
  }
  const keysOf = (numbers: Iterable<number>) => [...numbers].map((number) => ({ ...chat, number }));
  const refused = run.repair ? await index(run, keysOf(toIndex.keys())) : new Set<number>();
  const notStored = run.repair ? await storeFromIndex(run, keysOf(toStore.keys())) : new Set<number>();
  for (const [number, lacking] of toIndex)
    yield { kind: 'not in index', ...chat, number, lacking, repaired: run.repair && !refused.has(number) };
  for (const [number, lacking] of toStore)
    yield { kind: 'only in index', ...chat, number, lacking, repaired: run.repair && !notStored.has(number) };
  return onlyInIndex;
}

/** Indexes the messages as the store has them now, and answers which the index will never take. */
async function index({ store, searchIndex }: Run, keys: MessageKey[]): Promise<Set<number>> {
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
 * Stores the messages as the index has them; what came meanwhile is merged with it.
 *
 * @returns the numbers of those whose revision or times are out of bounds, which are not stored
 */
async function storeFromIndex({ store, searchIndex }: Run, keys: MessageKey[]): Promise<Set<number>> {
  const notStored = new Set<number>();
  for (const key of keys) {
    const document = await searchIndex.document(key);
    if (!document) continue;
    const { version, body, createdAt, updatedAt } = document;
    const faults = outOfBounds(body === null ? { updatedAt } : { revision: version, createdAt, updatedAt });
    if (faults.length > 0) notStored.add(key.number);
    else await store.merge(writesOf(document));
  }
  return notStored;
}

function writesOf(document: SearchDocument): Write[] {
  const { token, chat, number, version: revision, body, createdAt, updatedAt } = document;
  if (body === null) return [{ kind: 'deletion', token, chat, number, at: updatedAt }];
  return writesOfMessage(document, body, { revision, createdAt, updatedAt });
}
