import { queueResources } from '../../infra/queues.ts';
import { functionSizes } from '../../infra/sizes.ts';
import { limits } from '../../lib/limits.ts';
import { type BatchRates, batchRates } from './batching.ts';
import type { Inputs } from './inputs.ts';
import { billedMs, functionLines, type Line, queueRequests, type Scenario } from './lines.ts';
import { stepSize } from './sizes.ts';

/** The bytes of an event that AppSync bills as one operation. */
const operationBytes = 5 * 1_024;
/** A step is published to the channel of the application's token and to that of its access tokens. */
const channels = 2;

/**
 * Returns what AWS bills for sending what was stored to followers, in quantities per second; nothing without the feed.
 * Connections are billed by the minute, whatever they receive (see money.ts).
 *
 * @param stored the batches of the store worker
 */
export function publishingLines(scenario: Scenario, stored: BatchRates, inputs: Inputs): Line[] {
  const { followers, perSecond, chats } = scenario;
  if (followers === undefined) return [];
  const part = 'feed';
  const { memoryMb } = functionSizes.worker;

  // A batch makes one version of each of its chats. Its messages are spread over the chats evenly.
  const messages = perSecond / stored.invocationsPerSecond;
  const changedChats = scenario.batch > 1 ? messages / scenario.batch : chats * (1 - (1 - 1 / chats) ** messages);
  const steps = changedChats * stored.invocationsPerSecond;
  const bytes = stepSize(messages / changedChats);
  const operations = Math.ceil(bytes / operationBytes);

  const record = { perSecond: stored.invocationsPerSecond, bytes: bytes * changedChats };
  const source = { pollers: inputs.pollers, roundTripMs: inputs.queueCallMs };
  const published = batchRates(record, queueResources.feed.delivery, source);
  const requests = (steps * channels) / published.invocationsPerSecond;
  const publishMs = billedMs(
    inputs.feedBatchMs,
    inputs.runtimeMs + inputs.tableCallMs + Math.ceil(requests / limits.appsync.atOnce) * inputs.publishCallMs,
    memoryMb,
  );
  const received =
    published.receivesPerSecond * queueRequests((record.perSecond / published.receivesPerSecond) * record.bytes);
  return [
    ...functionLines(
      scenario,
      part,
      published.invocationsPerSecond,
      publishMs,
      memoryMb,
      inputs,
      perSecond / scenario.batch,
    ),
    {
      what: 'queue requests',
      part,
      price: 'queueRequest',
      quantity: record.perSecond * queueRequests(record.bytes) + received + published.deletesPerSecond,
    },
    // The worker reads the access generation of each application of a batch. Here each chat is one of its own.
    { what: 'table reads', part, price: 'tableReadUnit', quantity: steps },
    { what: 'events published', part, price: 'eventOperation', quantity: steps * channels * operations },
    { what: 'events delivered', part, price: 'eventOperation', quantity: steps * followers * operations },
    { what: 'bytes sent out', part, price: 'transferOutGb', quantity: (steps * followers * bytes) / 1e9 },
  ];
}
