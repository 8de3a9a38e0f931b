import { percentile } from '../statistics/quantiles.ts';
import { Random } from '../statistics/random.ts';

/** Maximum number of messages that SQS returns in a call. */
const perCall = 10;

/** The settings of reading a queue: each process gathers a batch, processes it, and then gathers the next. */
export interface Reading {
  processes: number;
  /** Maximum number of queue messages in a batch. */
  batchSize: number;
  /** The longest time to gather a batch that is not full, in milliseconds. */
  windowMs: number;
  /** The time of a call that returns up to ten queue messages. It is also the step of the simulation's clock. */
  callMs: number;
}

/** The time that processing takes, in milliseconds. */
export interface Working {
  /** For each batch. */
  batchMs: number;
  /** For each queue message of a batch, while the database has a free processor. */
  messageMs: number;
  /** Batches that the database processes in parallel. More of them slow each other down in proportion. */
  parallel: number;
}

/** The arrivals: queue messages per second as a function of the time since the start. They end at `untilMs`. */
export interface Load {
  perSecond: (ms: number) => number;
  untilMs: number;
}

export interface Outcome {
  /** The median time from sending a queue message to the end of its batch, in milliseconds. */
  medianMs: number;
  p99Ms: number;
  /** The mean number of queue messages in a batch. */
  batch: number;
  /** Maximum number of queue messages that waited or were being processed at a time. */
  backlog: number;
  /** The time from the last arrival until everything was processed, in milliseconds. */
  drainedMs: number;
}

/** A batch: when its queue messages were sent, and when it was processed. */
interface Batch {
  sent: number[];
  done: number;
}

interface Process {
  /** The times when the queue messages of the current batch were sent. */
  batch: number[];
  begun: number;
  /** When processing ends; undefined while the batch is being gathered. */
  until: number | undefined;
}

/**
 * Simulates a queue between senders and a worker under changing load. Only the arrivals and the order of the processes
 * are random; both depend only on the seed.
 *
 * @throws RangeError when the queue is not empty within a day of the last arrival
 */
export function simulate(load: Load, reading: Reading, working: Working, seed: number): Outcome {
  const { batches, backlog, endMs } = run(load, reading, working, new Random(seed));
  const lags = batches.flatMap(({ sent, done }) => sent.map((at) => done - at));
  return {
    medianMs: percentile(lags, 50),
    p99Ms: percentile(lags, 99),
    batch: lags.length / batches.length,
    backlog,
    drainedMs: endMs - load.untilMs,
  };
}

/** Two queues in a row: each batch of the first worker sends one queue message to the second. */
export interface Chain {
  first: { reading: Reading; working: Working };
  second: { reading: Reading; working: Working };
}

/** Simulates two queues in a row. Returns the times from sending to the first queue to the end of the second worker's batch. */
export function simulateChain(
  load: Load,
  { first, second }: Chain,
  seed: number,
): Pick<Outcome, 'medianMs' | 'p99Ms'> & { secondBatch: number } {
  const random = new Random(seed);
  const { batches } = run(load, first.reading, first.working, random);
  const passedOn = Map.groupBy(batches, ({ done }) => done);
  const times = [...passedOn.keys()].sort((a, b) => a - b);
  let next = 0;
  const arrivals = (now: number): number => {
    let count = 0;
    for (; next < times.length && (times[next] as number) <= now; next++)
      count += passedOn.get(times[next] as number)?.length ?? 0;
    return count;
  };
  const last = { arrivals, untilMs: (times.at(-1) ?? 0) + second.reading.callMs };
  const published = run(last, second.reading, second.working, random).batches;
  // Each process of the second worker takes messages in their order, so the n-th message is that of the n-th batch.
  const received = published.flatMap(({ sent, done }) => sent.map((at) => ({ at, done }))).sort((a, b) => a.at - b.at);
  const inOrder = [...batches].sort((a, b) => a.done - b.done);
  const lags = inOrder.flatMap(({ sent }, i) => sent.map((at) => (received[i]?.done ?? 0) - at));
  return {
    medianMs: percentile(lags, 50),
    p99Ms: percentile(lags, 99),
    secondBatch: batches.length / published.length,
  };
}

/** Runs one queue. `arrivals` replaces the random ones of a load. */
function run(
  load: Load | { arrivals: (now: number) => number; untilMs: number },
  reading: Reading,
  working: Working,
  random: Random,
): { batches: Batch[]; backlog: number; endMs: number } {
  const arrivals =
    'arrivals' in load
      ? load.arrivals
      : (now: number) => poisson((load.perSecond(now) * reading.callMs) / 1_000, random);
  const queue: number[] = [];
  const processes = Array.from(
    { length: reading.processes },
    (): Process => ({ batch: [], begun: 0, until: undefined }),
  );
  const batches: Batch[] = [];
  // `next` is the index of the first queue message that no process has taken. Shifting a long array would be slow.
  let [next, backlog, now] = [0, 0, 0];
  const inBatches = () => processes.reduce((sum, { batch }) => sum + batch.length, 0);

  for (; now < load.untilMs || next < queue.length || inBatches() > 0; now += reading.callMs) {
    if (now > load.untilMs + 86_400_000) throw new RangeError('The worker cannot keep up with the arrivals');
    if (now < load.untilMs) for (let n = arrivals(now); n > 0; n--) queue.push(now);
    for (const process of processes)
      if (process.until !== undefined && process.until <= now) {
        batches.push({ sent: process.batch, done: process.until });
        Object.assign(process, { batch: [], until: undefined });
      }
    // The first process to poll gets the messages. Which one is first is random at each step.
    const first = Math.floor(random.next() * processes.length);
    for (const process of [...processes.slice(first), ...processes.slice(0, first)]) {
      if (process.until !== undefined) continue;
      const room = Math.min(perCall, reading.batchSize - process.batch.length, queue.length - next);
      if (process.batch.length === 0) process.begun = now;
      process.batch.push(...queue.slice(next, next + room));
      next += room;
      const { length } = process.batch;
      if (length === 0 || (length < reading.batchSize && now - process.begun < reading.windowMs)) continue;
      const busy = 1 + processes.filter(({ until }) => until !== undefined).length;
      process.until = now + working.batchMs + length * working.messageMs * Math.max(1, busy / working.parallel);
    }
    backlog = Math.max(backlog, queue.length - next + inBatches());
  }
  return { batches, backlog, endMs: now };
}

/** Returns a Poisson-distributed count by Knuth's algorithm, in steps small enough that e^-x does not round to 0. */
function poisson(average: number, random: Random): number {
  if (average > 500) return poisson(500, random) + poisson(average - 500, random);
  const end = Math.exp(-average);
  let [count, product] = [0, random.next()];
  for (; product > end; product *= random.next()) count++;
  return count;
}
