import { Duration } from 'aws-cdk-lib';
import { limits } from '../lib/limits.ts';

/** How much a function gets, and how long it may take. */
export interface FunctionSize {
  /** Lambda gives processor time in proportion: 1,769 MB is one whole processor. */
  memoryMb: number;
  timeout: Duration;
  /** Most at once, where the stage reserves concurrency. */
  atOnce?: number;
}

/** Every size of the AWS engine, each with its reason. */
export const functionSizes = {
  /**
   * Half a processor: a start is mostly loading code, and a batch of 1 MiB is parsed and printed several times. The time
   * is that of a slow DynamoDB call and a slow SQS call, each tried twice, and is below API Gateway's 29 s.
   */
  write: { memoryMb: 1_024, timeout: Duration.seconds(10) },
  /** A page may hold 4 MB. A read answers within 3 s, that SQL or search is out if need be. */
  read: { memoryMb: 1_024, timeout: Duration.seconds(3) },
  /** Preflights, wrong methods, unknown paths: no work, and the least that starts quickly. */
  fallback: { memoryMb: 512, timeout: Duration.seconds(3) },
  /** A whole processor: up to 6 MB of JSON to parse, to fold and to print. A batch takes a second; an outage is waited for. */
  worker: { memoryMb: 1_769, timeout: Duration.millis(limits.workerMs) },
  /**
   * The database counts, the function waits. What is not visited in this time is visited by the next run. One at a time:
   * a minute later the next would ask SQL for the same counts again.
   */
  rollUp: { memoryMb: 512, timeout: Duration.minutes(5), atOnce: 1 },
  /**
   * Resumable, and stops by itself before its time is over: the longest that Lambda grants. One at a time: fifteen of
   * them would delete the same rows, and wait for each other's locks.
   */
  purge: { memoryMb: 512, timeout: Duration.minutes(15), atOnce: 1 },
  /** As the purge: what an outage of the queue left behind may be much. It works on the ledger, which takes several. */
  sweep: { memoryMb: 512, timeout: Duration.minutes(15) },
  /** Two calls to Secrets Manager a month; each may be tried twice. */
  rotation: { memoryMb: 256, timeout: Duration.seconds(20) },
  /**
   * Changing a large table takes its time; a deployment waits for it. A minute less than the longest there is, for CDK's
   * own function calls this one, and is to live long enough to say how it ended.
   */
  migrate: { memoryMb: 512, timeout: Duration.minutes(14) },
} satisfies Record<string, FunctionSize>;

/** How a queue feeds its worker; infra/queues.ts has the sizes of each. */
export interface FeedSize {
  /** Most messages at once; AWS hands over fewer when they hold more than the 6 MB of a Lambda event. */
  batchSize: number;
  /** How long a batch waits to be filled. */
  window: Duration;
  /** Most batches at work at once. */
  maxConcurrency: number;
}

/** SQS's rule for functions: six times the function's time, so that retries of a throttled one fit, plus the window. */
export const visibilityOf = (worker: FunctionSize, feed: FeedSize): Duration =>
  Duration.seconds(6 * worker.timeout.toSeconds() + feed.window.toSeconds());
