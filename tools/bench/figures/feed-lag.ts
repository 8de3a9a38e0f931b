import { Duration } from 'aws-cdk-lib';
import { queueResources } from '../../../infra/queues.ts';
import { limits } from '../../../lib/limits.ts';
import { batchRates } from '../../cost/batching.ts';
import { type Inputs, inputsFrom } from '../../cost/inputs.ts';
import { perMillion } from '../../cost/money.ts';
import { readPrices } from '../../cost/prices.ts';
import { usual } from '../../cost/quantities.ts';
import { requestSizes } from '../../cost/sizes.ts';
import { type Chain, type Load, type Reading, simulateChain } from '../../queue-simulation/simulate.ts';
import { figure, type Measurement } from '../figure.ts';
import { readingOf, storing } from './scaling.ts';

const seeds = { full: [1, 2, 3], smoke: [1] };
const seconds = { full: 120, smoke: 20 };

/** The number of chats that get the creates. The more chats a batch changes, the longer publishing takes. */
const chats = 100;

/** The work of the feed worker: it reads the access generation, and publishes each changed chat to two channels. */
function publishing(inputs: Inputs, stepsInRecord: number) {
  return {
    batchMs: inputs.runtimeMs + inputs.feedBatchMs + inputs.tableCallMs,
    messageMs: ((2 * stepsInRecord) / limits.appsync.atOnce) * inputs.publishCallMs,
    // Its functions wait for AppSync and not for one database.
    parallel: queueResources.feed.delivery.maxConcurrency,
  };
}

export const feedLag = figure({
  title: 'AWS: the lag of the feed',
  matrix: true,
  about: `As \`scaling\`, for single creates in ${chats} chats that pass the store queue and the feed queue. The lag is the time from the
    response until AppSync has accepted the event. The 20 ms for a request to AppSync are assumed, and the time to deliver an
    event is not included. The cost is that of queues, workers and AppSync, with one follower of each chat.`,
  measure: async ({ scale, say, results }) => {
    const { inputs } = inputsFrom(results());
    const { prices } = readPrices();
    const untilMs = seconds[scale] * 1_000;
    const rows = (rate: number, window: number): Measurement[] => {
      const what = `load: ${rate.toLocaleString('en-US')} creates/s, ${window === 0 ? 'no window' : `window of ${window} s`}`;
      say(what);
      const load: Load = { perSecond: () => rate, untilMs };
      // Without a window, SQS delivers at most ten messages at once.
      const change: Partial<Reading> = window === 0 ? { windowMs: 0, batchSize: 10 } : { windowMs: window * 1_000 };
      const reading = { ...readingOf('store', inputs), ...change };
      const { perInvocation } = batchRates(
        { perSecond: rate, bytes: requestSizes(1).records[0] as number },
        { batchSize: reading.batchSize, window: Duration.millis(reading.windowMs) },
        { pollers: reading.processes, roundTripMs: reading.callMs },
      );
      const changed = chats * (1 - (1 - 1 / chats) ** perInvocation);
      const chain: Chain = {
        first: { reading, working: storing(inputs) },
        second: { reading: readingOf('feed', inputs), working: publishing(inputs, changed) },
      };
      const outcomes = seeds[scale].map((seed) => simulateChain(load, chain, seed));
      return [
        { what: `${what}: median lag`, unit: 'ms', values: outcomes.map(({ medianMs }) => medianMs) },
        { what: `${what}: 99th percentile`, unit: 'ms', values: outcomes.map(({ p99Ms }) => p99Ms) },
        {
          what: `${what}: cost`,
          unit: '$ a million messages',
          values: [
            perMillion(
              { ...usual, perSecond: rate, windowSeconds: window, chats, followers: 1 },
              inputs,
              prices,
              ({ part }) => part !== 'requests',
            ),
          ],
        },
      ];
    };
    return [10, 100, 1_000].flatMap((rate) => [1, 0].flatMap((window) => rows(rate, window)));
  },
});
