import { Duration } from 'aws-cdk-lib';
import { limits } from '../lib/limits.ts';

/** Memory, timeout and concurrency of a function. */
export interface FunctionSize {
  /** Lambda allots CPU in proportion to memory: 1,769 MB is one vCPU. */
  memoryMb: number;
  timeout: Duration;
  /** The largest number of concurrent runs, in stages that reserve concurrency. Default: unlimited. */
  maxConcurrency?: number;
}

/** The sizes of all functions of the AWS engine, each with its reason. */
export const functionSizes = {
  /**
   * About half a vCPU, because a cold start mostly loads code, and a batch of 1 MiB is parsed and serialized several
   * times. The timeout covers a slow DynamoDB call and a slow SQS call with one retry each. It is below the 29 s of API
   * Gateway.
   */
  write: { memoryMb: 1_024, timeout: Duration.seconds(10) },
  /** A page may hold 4 MB. A read responds within 3 s, with 503 if MySQL or OpenSearch is unavailable. */
  read: { memoryMb: 1_024, timeout: Duration.seconds(3) },
  /**
   * Checks one token. A follower waits for it at each connection and each subscription, and AppSync waits up to 10 s. A
   * cold start may read the system secret.
   */
  authorizer: { memoryMb: 1_024, timeout: Duration.seconds(5) },
  /** Preflight requests, wrong methods, unknown paths. No work, so the smallest size that still starts quickly. */
  fallback: { memoryMb: 512, timeout: Duration.seconds(3) },
  /**
   * One vCPU, because a batch is up to 6 MB of JSON to parse, case-fold and serialize. A batch normally takes a second.
   * The timeout leaves time to wait for a server that is unavailable.
   */
  worker: { memoryMb: 1_769, timeout: Duration.millis(limits.workerMs) },
  /**
   * The database does the counting. The next run continues with the dirty marks that this run did not reach. Runs are
   * not concurrent, because the run of the next minute would query the same counts again.
   */
  rollUp: { memoryMb: 512, timeout: Duration.minutes(5), maxConcurrency: 1 },
  /**
   * The longest timeout of Lambda. The purge stops before it and is resumable. Runs are not concurrent, because up to
   * fifteen of them would delete the same rows and wait for each other's locks.
   */
  purge: { memoryMb: 512, timeout: Duration.minutes(15), maxConcurrency: 1 },
  /**
   * As long as the purge, because an outage of SQS may park many writes. One vCPU, because sending 5,000 records takes
   * 800 calls. Runs are not concurrent, because the run of the next minute would send the same records again.
   */
  sweep: { memoryMb: 1_769, timeout: Duration.minutes(15), maxConcurrency: 1 },
  /** Two calls to Secrets Manager a month, with one retry each. */
  rotation: { memoryMb: 256, timeout: Duration.seconds(20) },
  /**
   * Changing a large table takes minutes, and the deployment waits for it. One minute below the longest timeout of
   * Lambda, because CDK's trigger function calls this one and has to outlive it to report the result.
   */
  migrate: { memoryMb: 512, timeout: Duration.minutes(14) },
} satisfies Record<string, FunctionSize>;

/** How SQS delivers the records of a queue to its worker. infra/queues.ts has the values. */
export interface DeliverySize {
  /** The largest number of messages in a batch. Batches are smaller when they would exceed the 6 MB of a Lambda event. */
  batchSize: number;
  /** How long SQS waits for a batch to fill. */
  window: Duration;
  /** The largest number of batches that are processed concurrently. */
  maxConcurrency: number;
}

/**
 * Returns the visibility timeout of a queue as AWS recommends it: six times the timeout of the function, to leave room
 * for retries when the function is throttled, plus the batching window.
 */
export const visibilityOf = (worker: FunctionSize, { window }: DeliverySize): Duration =>
  Duration.seconds(6 * worker.timeout.toSeconds() + window.toSeconds());
