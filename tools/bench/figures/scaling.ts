import { queueResources } from '../../../infra/queues.ts';
import { type Inputs, inputsFrom } from '../../cost/measured.ts';
import { type Load, type Reading, simulate, type Working } from '../../queue-simulation/simulate.ts';
import { figure, type Measurement } from '../figure.ts';

const { feed } = queueResources.store;
const seeds = { full: [1, 2, 3], smoke: [1] };
const seconds = { full: 120, smoke: 20 };

const reading = (inputs: Inputs): Reading => ({
  processes: feed.maxConcurrency,
  batchSize: feed.batchSize,
  windowMs: feed.window.toMilliseconds(),
  callMs: inputs.queueCallMs,
});

/** The work of single creates, where a queue message is one message. The database has two processors. */
const working = (inputs: Inputs): Working => ({
  batchMs: inputs.runtimeMs + inputs.storeBatchMs + 6 * inputs.sqlCallMs + inputs.queueCallMs,
  messageMs: inputs.storeMessageMs,
  parallel: 2,
});

export const scaling = figure({
  title: 'AWS: how far behind the store is',
  about: `A simulation, not a measurement: single creates at random times, the store queue as deployed (${feed.maxConcurrency} concurrent batches of
    up to ${feed.batchSize.toLocaleString('en-US')}, a window of ${feed.window.toSeconds()} s) or with the named change, and a database with two processors. The time of a batch
    comes from the figure about storing messages on AWS or, if that is not measured, from [measured.ts](../tools/cost/measured.ts). The lag is the
    time from the response until the message is in SQL. Each row is simulated with three seeds. The behaviour of Lambda's pollers follows AWS's
    description, see [scaling](scaling.md).`,
  measure: async ({ scale, say, results }) => {
    const { inputs } = inputsFrom(results());
    const untilMs = seconds[scale] * 1_000;
    const rows = (what: string, load: Load, change: Partial<Reading> = {}): Measurement[] => {
      say(what);
      const outcomes = seeds[scale].map((seed) =>
        simulate(load, { ...reading(inputs), ...change }, working(inputs), seed),
      );
      return [
        { what: `${what}: median lag`, unit: 'ms', values: outcomes.map(({ medianMs }) => medianMs) },
        { what: `${what}: 99th percentile`, unit: 'ms', values: outcomes.map(({ p99Ms }) => p99Ms) },
        { what: `${what}: messages a batch`, unit: 'messages', values: outcomes.map(({ batch }) => batch) },
        { what: `${what}: until all is stored`, unit: 'ms', values: outcomes.map(({ drainedMs }) => drainedMs) },
      ];
    };
    const steady = (perSecond: number): Load => ({ perSecond: () => perSecond, untilMs });
    const burst: Load = { perSecond: (ms) => (ms < untilMs / 4 ? 10_000 : 100), untilMs };
    return [
      ...[10, 100, 1_000, 10_000].flatMap((rate) => rows(`${rate.toLocaleString('en-US')} creates/s`, steady(rate))),
      ...rows('10,000 creates/s, 20 batches at once', steady(10_000), { processes: 20 }),
      ...rows('1,000 creates/s, no window (batches of 10)', steady(1_000), { windowMs: 0, batchSize: 10 }),
      ...rows('1,000 creates/s, a window of 5 s', steady(1_000), { windowMs: 5_000 }),
      ...rows('10,000 creates/s for a quarter of the time, then 100', burst),
    ];
  },
});
