import { limits } from '../../lib/limits.ts';
import type { MessageKey } from '../../lib/model/keys.ts';
import type { Version } from '../../lib/model/version.ts';
import { targetOf } from '../../lib/model/write.ts';
import { decodeWritesRecord, encodeChanges, type Provenance, type WritesRecord } from '../../lib/queue/records.ts';
import { UnstorableWrite } from '../../lib/store/merging.ts';
import { type ChangeQueue, changeQueues, type QueueService, queueService } from '../queues.ts';
import { logEvents } from '../runtime/observe/log.ts';
import { sendToAll } from '../runtime/send-to-all.ts';
import type { WorkerServices } from '../runtime/services.ts';
import { type Parsed, type Poison, secondsSince, worker } from '../runtime/worker.ts';

type StoreWorkerServices = Pick<WorkerServices, 'store' | 'announcer' | QueueService<ChangeQueue>>;

/**
 * Stores accepted writes in bulk. Once they are committed, it announces the versions that they made, and sends the keys
 * of the messages that changed to every queue that carries changes. When one of these cannot be reached, the whole batch
 * is retried: merging a write again changes nothing, and a change may be sent twice.
 */
export const storeWorker = worker({
  queue: 'store',
  decode: decodeWritesRecord,
  done: logEvents.stored,
  work: async (records, { store, announcer, ...services }: StoreWorkerServices) => {
    const poison: Poison[] = [];
    for (const batch of batches(records)) poison.push(...(await mergeOrSplit(batch, { store, announcer })));
    const bad = new Set(poison.map(({ record }) => record));
    const stored = records.filter(({ record }) => !bad.has(record)).map(({ content }) => content);
    const measured = {
      stored: stored.reduce((sum, { writes }) => sum + writes.length, 0),
      stored_lag: secondsSince(oldestOf(stored)),
    };
    const changes = [...changesOf(stored)];
    const outboxes = new Map(changeQueues.map((name) => [name, services[queueService(name)]]));
    if (changes.length > 0) await sendToAll(outboxes, changes);
    return { poison, measured };
  },
});

/**
 * Yields the records for the queues that carry changes. A record has the key of each changed message once, and the
 * provenance of the changes.
 */
function* changesOf(stored: WritesRecord[]): Generator<string> {
  let changed = new Map<string, MessageKey>();
  let sources: WritesRecord[] = [];
  for (const record of stored)
    for (const write of record.writes) {
      const target = targetOf(write);
      if (!isMessage(target)) continue;
      changed.set(`${target.token}/${target.chat}/${target.number}`, target);
      if (sources.at(-1) !== record) sources.push(record);
      if (changed.size < limits.rowsPerTransaction) continue;
      yield encodeChanges([...changed.values()], provenanceOf(sources));
      [changed, sources] = [new Map(), []];
    }
  if (changed.size > 0) yield encodeChanges([...changed.values()], provenanceOf(sources));
}

const isMessage = (target: ReturnType<typeof targetOf>): target is MessageKey =>
  target.chat !== undefined && target.number !== undefined;

const provenanceOf = (records: WritesRecord[]): Provenance => ({
  requests: [...new Set(records.flatMap(({ requests }) => requests))],
  at: oldestOf(records),
});

/**
 * Returns when the oldest write was accepted. Writes without a client's request, such as imports, may be years old and
 * do not count.
 */
function oldestOf(records: WritesRecord[]): number | undefined {
  let oldest: number | undefined;
  for (const { requests, writes } of records)
    if (requests.length > 0) for (const { at } of writes) if (oldest === undefined || at < oldest) oldest = at;
  return oldest;
}

/** Yields the records in groups of at most `limits.rowsPerTransaction` rows. A record's writes stay together. */
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

/**
 * Merges the batch, and announces the versions that it made. If the database can never store one of the writes, the batch
 * is halved until the record of that write is alone. Returns such records.
 */
async function mergeOrSplit(
  batch: Parsed<WritesRecord>[],
  services: Pick<StoreWorkerServices, 'store' | 'announcer'>,
): Promise<Poison[]> {
  let versions: Version[];
  try {
    versions = await services.store.merge(batch.flatMap(({ content }) => content.writes));
  } catch (error) {
    if (!(error instanceof UnstorableWrite)) throw error;
    const [first] = batch;
    if (first && batch.length === 1) return [{ record: first.record, reason: error.message }];
    const middle = Math.ceil(batch.length / 2);
    return [
      ...(await mergeOrSplit(batch.slice(0, middle), services)),
      ...(await mergeOrSplit(batch.slice(middle), services)),
    ];
  }
  const { announcer, store } = services;
  if (announcer && versions.length > 0)
    await announcer.announce(versions, { provenance: provenanceOf(batch.map(({ content }) => content)), store });
  return [];
}
