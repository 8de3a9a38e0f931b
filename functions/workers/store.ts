import { limits } from '../../lib/limits.ts';
import { decodeWrites } from '../../lib/queue/decode-records.ts';
import { encodeChanges, type MessageKey, targetOf, type Write } from '../../lib/queue/records.ts';
import { type Store, UnstorableWrite } from '../../lib/store/store.ts';
import { type Parsed, type Poison, worker } from '../runtime/batch.ts';
import type { WorkerServices } from '../runtime/services.ts';

type StoreWorkerServices = Pick<WorkerServices, 'store' | 'searchQueue'>;

/** Stores accepted writes in bulk and, once they are committed, hands on which messages changed. */
export const storeWorker = worker('storeQueue', decodeWrites, async (records, services: StoreWorkerServices) => {
  const { store, searchQueue } = services;
  const poison: Poison[] = [];
  for (const batch of batches(records)) poison.push(...(await mergeOrSplit(batch, store)));

  const bad = new Set(poison.map(({ record }) => record));
  const changed = new Map<string, MessageKey>();
  for (const { record, content } of records)
    for (const write of bad.has(record) ? [] : content) {
      const { token, chat, number } = targetOf(write);
      if (chat !== undefined && number !== undefined)
        changed.set(`${token}/${chat}/${number}`, { token, chat, number });
    }
  const keys = [...changed.values()];
  const changes: string[] = [];
  for (let i = 0; i < keys.length; i += limits.rowsPerTransaction)
    changes.push(encodeChanges(keys.slice(i, i + limits.rowsPerTransaction)));
  if (changes.length > 0) await searchQueue.send(changes);
  return poison;
});

/** The records in groups of up to so many rows as one transaction takes; a record's writes stay together. */
function* batches(records: Parsed<Write[]>[]): Generator<Parsed<Write[]>[]> {
  let batch: Parsed<Write[]>[] = [];
  let rows = 0;
  for (const record of records) {
    if (rows > 0 && rows + record.content.length > limits.rowsPerTransaction) {
      yield batch;
      batch = [];
      rows = 0;
    }
    batch.push(record);
    rows += record.content.length;
  }
  if (rows > 0) yield batch;
}

/** Merges the batch; when it holds a write that the database will never take, halves it until that one is alone. */
async function mergeOrSplit(batch: Parsed<Write[]>[], store: Store): Promise<Poison[]> {
  try {
    await store.merge(batch.flatMap(({ content }) => content));
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
