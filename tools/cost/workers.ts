import { Duration } from 'aws-cdk-lib';
import { queueResources } from '../../infra/queues.ts';
import { functionSizes } from '../../infra/sizes.ts';
import { limits } from '../../lib/limits.ts';
import { batchRates } from './batching.ts';
import type { Inputs } from './inputs.ts';
import { billedMs, functionLines, gbSeconds, type Line, queueRequests, type Scenario } from './lines.ts';
import { publishingLines } from './publishing.ts';
import { changesSize, requestSizes } from './sizes.ts';

/**
 * The SQL statements of the store worker and of the search worker for 1,000 new messages. The store worker's are begin,
 * versions, deletions of parents, two blocks of rows, marks and commit; up to 500 messages need only one block.
 */
export const sqlStatements = { store: 7, search: 1 };

/**
 * Returns what AWS bills for storing, indexing, counting and, with the feed, publishing while the workers keep up, in
 * quantities per second.
 */
export function workerLines(scenario: Scenario, inputs: Inputs): Line[] {
  const { batch, perSecond, windowSeconds } = scenario;
  const window = Duration.seconds(windowSeconds);
  const source = { pollers: inputs.pollers, roundTripMs: inputs.queueCallMs };
  const { memoryMb } = functionSizes.worker;
  const part = 'queues and workers';

  const { records } = requestSizes(batch);
  const record = { perSecond: (perSecond / batch) * records.length, bytes: records[0] as number };
  const stored = batchRates(record, { ...queueResources.store.delivery, window }, source);
  const messages = perSecond / stored.invocationsPerSecond;
  // An average: most batches fit into one transaction, and a few need two.
  const transactions = Math.max(1, messages / limits.rowsPerTransaction);
  const storeMs = billedMs(
    inputs.storeBatchMs + messages * inputs.storeMessageMs,
    inputs.runtimeMs + inputs.queueCallMs + sqlStatements.store * transactions * inputs.sqlCallMs,
    memoryMb,
  );

  const change = {
    perSecond: stored.invocationsPerSecond * transactions,
    bytes: changesSize(messages / transactions, 1 / batch),
  };
  const indexed = batchRates(change, { ...queueResources.search.delivery, window }, source);
  const documents = perSecond / indexed.invocationsPerSecond;
  const searchCalls = Math.max(1, documents / limits.rowsPerTransaction);
  const searchMs = billedMs(
    inputs.searchBatchMs + documents * inputs.searchMessageMs,
    inputs.runtimeMs + searchCalls * (sqlStatements.search * inputs.sqlCallMs + inputs.searchCallMs),
    memoryMb,
  );

  const calls = (arrivals: { perSecond: number; bytes: number }, taken: typeof stored) =>
    taken.receivesPerSecond * queueRequests((arrivals.perSecond / taken.receivesPerSecond) * arrivals.bytes) +
    taken.deletesPerSecond;
  const sent = stored.invocationsPerSecond * queueRequests(transactions * change.bytes);
  const queueCalls = calls(record, stored) + sent + calls(change, indexed);

  // A run of the roll-up reads each changed chat from the ledger and counts it in SQL.
  const changedChats = Math.min(scenario.chats / 60, perSecond / batch);
  const rollUp = functionSizes.rollUp.memoryMb;
  return [
    ...functionLines(scenario, part, stored.invocationsPerSecond, storeMs, memoryMb, inputs, perSecond / batch),
    ...functionLines(scenario, part, indexed.invocationsPerSecond, searchMs, memoryMb, inputs, perSecond / batch),
    { what: 'queue requests', part, price: 'queueRequest', quantity: queueCalls },
    { what: 'bytes between zones', part, price: 'zoneGb', quantity: (perSecond * inputs.zoneBytes) / 1e9 },
    { what: 'table reads', part, price: 'tableReadUnit', quantity: changedChats },
    gbSeconds(scenario, part, changedChats * inputs.countedChatMs, rollUp),
    ...publishingLines(scenario, stored, inputs),
  ];
}
