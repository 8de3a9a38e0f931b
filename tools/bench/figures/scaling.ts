import type { AwsQueue } from '../../../functions/queues.ts';
import { queueResources } from '../../../infra/queues.ts';
import { type Inputs, inputsFrom } from '../../cost/inputs.ts';
import { sqlStatements } from '../../cost/workers.ts';
import { type Load, type Reading, simulate, type Working } from '../../queue-simulation/simulate.ts';
import { figure, type Measurement } from '../figure.ts';

const { delivery } = queueResources.store;

/** Returns how Lambda reads a queue, as deployed. */
export function readingOf(queue: AwsQueue, inputs: Inputs): Reading {
  const { maxConcurrency, batchSize, window } = queueResources[queue].delivery;
  return { processes: maxConcurrency, batchSize, windowMs: window.toMilliseconds(), callMs: inputs.queueCallMs };
}

const seeds = { full: [1, 2, 3], smoke: [1] };
const seconds = { full: 120, smoke: 20 };

/** The work of storing single creates: each queue message holds one chat message. The database has two processors. */
export const storing = (inputs: Inputs): Working => ({
  batchMs: inputs.runtimeMs + inputs.storeBatchMs + sqlStatements.store * inputs.sqlCallMs + inputs.queueCallMs,
  messageMs: inputs.storeMessageMs,
  parallel: 2,
});

export const scaling = figure({
  title: 'AWS: the lag of the store',
  matrix: true,
  about: `A simulation, not a measurement: single creates arrive at random times, and the store worker stores them in a database
    with two processors. The store queue is as deployed, with ${delivery.maxConcurrency} concurrent batches of up to
    ${delivery.batchSize.toLocaleString('en-US')} messages and a batching window of ${delivery.window.toSeconds()} s, unless the row names a change. The time of a batch is that of
    \`store-worker\`; the pollers behave as [AWS describes them](scaling.md#the-two-queues). The lag is the time from the
    response until the message is in SQL. Three seeds.`,
  measure: async ({ scale, say, results }) => {
    const { inputs } = inputsFrom(results());
    const untilMs = seconds[scale] * 1_000;
    const rows = (what: string, load: Load, change: Partial<Reading> = {}): Measurement[] => {
      say(what);
      const outcomes = seeds[scale].map((seed) =>
        simulate(load, { ...readingOf('store', inputs), ...change }, storing(inputs), seed),
      );
      return [
        { what: `load: ${what}: median lag`, unit: 'ms', values: outcomes.map(({ medianMs }) => medianMs) },
        { what: `load: ${what}: 99th percentile`, unit: 'ms', values: outcomes.map(({ p99Ms }) => p99Ms) },
        { what: `load: ${what}: batch size`, unit: 'messages', values: outcomes.map(({ batch }) => batch) },
        { what: `load: ${what}: until all is stored`, unit: 'ms', values: outcomes.map(({ drainedMs }) => drainedMs) },
      ];
    };
    const steady = (perSecond: number): Load => ({ perSecond: () => perSecond, untilMs });
    const burst: Load = { perSecond: (ms) => (ms < untilMs / 4 ? 10_000 : 100), untilMs };
    return [
      ...[10, 100, 1_000, 10_000].flatMap((rate) => rows(`${rate.toLocaleString('en-US')} creates/s`, steady(rate))),
      ...rows('10,000 creates/s, 20 concurrent batches', steady(10_000), { processes: 20 }),
      ...rows('1,000 creates/s, no window, batches of 10', steady(1_000), { windowMs: 0, batchSize: 10 }),
      ...rows('1,000 creates/s, window of 5 s', steady(1_000), { windowMs: 5_000 }),
      ...rows('10,000 creates/s for 30 s, then 100 for 90 s', burst),
    ];
  },
});
