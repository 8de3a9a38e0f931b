import { percentile } from '../statistics/quantiles.ts';
import { Random } from '../statistics/random.ts';

/** SQS returns at most this many messages a call. */
const perCall = 10;

/** How a queue is read: so many processes, each of which gathers a batch, has it worked on, and only then gathers again. */
export interface Reading {
  processes: number;
  /** Queue messages in a batch, at most. */
  batchSize: number;
  windowMs: number;
  /** Of a call that gives up to ten queue messages; also the clock of the simulation. */
  callMs: number;
}

export interface Working {
  batchMs: number;
  /** For each queue message of a batch, while the database has a processor for it. */
  messageMs: number;
  /** Batches that the database works on side by side; more of them slow each other down in proportion. */
  parallel: number;
}

/** What comes: queue messages a second, by the time since the beginning. It ends at `untilMs`. */
export interface Load {
  perSecond: (ms: number) => number;
  untilMs: number;
}

export interface Outcome {
  /** From when a queue message was sent until its batch was done, in milliseconds. */
  medianMs: number;
  p99Ms: number;
  /** Queue messages in a batch, on average. */
  batch: number;
  /** Most queue messages that waited or were worked on. */
  backlog: number;
  /** How long after the last one everything was done. */
  drainedMs: number;
}

interface Process {
  /** When each queue message in hand was sent. */
  batch: number[];
  begun: number;
  /** While it is worked on. */
  until: number | undefined;
}

/**
 * A queue between senders and a worker under changing load. Arrivals are random, by the seed; nothing else is.
 *
 * @throws RangeError when it is not done within a day of the last arrival
 */
export function simulate(load: Load, reading: Reading, working: Working, seed: number): Outcome {
  const random = new Random(seed);
  const queue: number[] = [];
  const processes = Array.from(
    { length: reading.processes },
    (): Process => ({ batch: [], begun: 0, until: undefined }),
  );
  const [lags, batches]: [number[], number[]] = [[], []];
  // Those before it were taken: shifting a long array would take its time.
  let [next, backlog, now] = [0, 0, 0];
  const inHand = () => processes.reduce((sum, { batch }) => sum + batch.length, 0);

  for (; now < load.untilMs || next < queue.length || inHand() > 0; now += reading.callMs) {
    if (now > load.untilMs + 86_400_000) throw new RangeError('The worker does not get through with what came');
    if (now < load.untilMs)
      for (let n = poisson((load.perSecond(now) * reading.callMs) / 1_000, random); n > 0; n--) queue.push(now);
    for (const process of processes)
      if (process.until !== undefined && process.until <= now) {
        lags.push(...process.batch.map((sent) => (process.until as number) - sent));
        Object.assign(process, { batch: [], until: undefined });
      }
    // Whoever asks first gets it, and nobody is first by right.
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
      batches.push(length);
    }
    backlog = Math.max(backlog, queue.length - next + inHand());
  }
  return {
    medianMs: percentile(lags, 50),
    p99Ms: percentile(lags, 99),
    batch: queue.length / batches.length,
    backlog,
    drainedMs: now - load.untilMs,
  };
}

/** A random count with a Poisson distribution: Knuth's algorithm, in steps for which e^-x is still distinct from 0. */
function poisson(average: number, random: Random): number {
  if (average > 500) return poisson(500, random) + poisson(average - 500, random);
  const end = Math.exp(-average);
  let [count, product] = [0, random.next()];
  for (; product > end; product *= random.next()) count++;
  return count;
}
