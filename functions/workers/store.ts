import { limits } from '../../lib/limits.ts';
import type { MessageKey } from '../../lib/model/keys.ts';
import { targetOf } from '../../lib/model/write.ts';
import { decodeWritesRecord, encodeChanges, type Origin, type WritesRecord } from '../../lib/queue/records.ts';
import { type Store, UnstorableWrite } from '../../lib/store/store.ts';
import { events } from '../runtime/observe/log.ts';
import type { WorkerServices } from '../runtime/services.ts';
import { type Parsed, type Poison, secondsSince, worker } from '../runtime/worker.ts';

type StoreWorkerServices = Pick<WorkerServices, 'store' | 'searchQueue'>;

/** Stores accepted writes in bulk and, once they are committed, hands on which messages changed. */
export const storeWorker = worker(
  'storeQueue',
  events.stored,
  decodeWritesRecord,
  async (records, { store, searchQueue }: StoreWorkerServices) => {
    const poison: Poison[] = [];
    for (const batch of batches(records)) poison.push(...(await mergeOrSplit(batch, store)));
    const bad = new Set(poison.map(({ record }) => record));
    const stored = records.filter(({ record }) => !bad.has(record)).map(({ content }) => content);
    const measured = {
      stored: stored.reduce((sum, { writes }) => sum + writes.length, 0),
      stored_lag: secondsSince(oldestOf(stored)),
    };
    const changes = [...changesOf(stored)];
    if (changes.length > 0) await searchQueue.send(changes);
    return { poison, measured };
  },
);

/** The records for the search queue: which messages changed, each once in a record, and where that came from. */
function* changesOf(stored: WritesRecord[]): Generator<string> {
  let changed = new Map<string, MessageKey>();
  let by: WritesRecord[] = [];
  for (const record of stored)
    for (const write of record.writes) {
      const { token, chat, number } = targetOf(write);
      if (chat === undefined || number === undefined) continue;
      changed.set(`${token}/${chat}/${number}`, { token, chat, number });
      if (by.at(-1) !== record) by.push(record);
      if (changed.size < limits.rowsPerTransaction) continue;
      yield encodeChanges([...changed.values()], originOf(by));
      [changed, by] = [new Map(), []];
    }
  if (changed.size > 0) yield encodeChanges([...changed.values()], originOf(by));
}

const originOf = (records: WritesRecord[]): Origin => ({
  requests: [...new Set(records.flatMap(({ requests }) => requests))],
  at: oldestOf(records),
});

/** When the oldest write was accepted; what no client asked for has no say, for it may carry the times of long ago. */
function oldestOf(records: WritesRecord[]): number | undefined {
  let oldest: number | undefined;
  for (const { requests, writes } of records)
    if (requests.length > 0) for (const { at } of writes) if (oldest === undefined || at < oldest) oldest = at;
  return oldest;
}

/** The records in groups of up to so many rows as one transaction takes; a record's writes stay together. */
function* batches(records: Parsed<WritesRecord>[]): Generator<Parsed<WritesRecord>[]> {
  let batch: Parsed<WritesRecord>[] = [];
  let rows = 0;
  for (const record of records) {
    if (rows > 0 && rows + record.content.writes.length > limits.rowsPerTransaction) {
      yield batch;
      batch = [];
      rows = 0;
    }
    batch.push(record);
    rows += record.content.writes.length;
  }
  if (rows > 0) yield batch;
}

/** Merges the batch; when it holds a write that the database will never take, halves it until that one is alone. */
async function mergeOrSplit(batch: Parsed<WritesRecord>[], store: Store): Promise<Poison[]> {
  try {
    await store.merge(batch.flatMap(({ content }) => content.writes));
    return [];
  } catch (error) {
    if (!(error instanceof UnstorableWrite)) throw error;
    const [first] = batch;
    if (first && batch.length === 1) return [{ record: first.record, reason: error.message }];
    const middle = Math.ceil(batch.length / 2);
    return [
      ...(await mergeOrSplit(batch.slice(0, middle), store)),
      ...(await mergeOrSplit(batch.slice(middle), store)),
    ];
  }
}
