import type { MetricName } from './runtime/observe/metrics.ts';

/** A queue of the flow and the worker behind it, which is `functions/workers/<name>.ts` and exports `<name>Worker`. */
interface QueueEntry {
  /**
   * What a record holds: writes that the ledger accepted; the keys of messages that changed in the store; or steps, which
   * are the changes themselves as followers get them, for a worker that cannot read the store. The store worker sends each
   * change to every queue that carries changes, and steps where the feed is on.
   */
  carries: 'writes' | 'changes' | 'steps';
  /**
   * Maximum number of records that the embedded engine hands to the worker at a time. infra/queues.ts has the numbers
   * of the AWS engine. A queue without this member exists only in the AWS engine.
   */
  embeddedBatch?: number;
  /** The metrics of its worker: items done, seconds from acceptance until they are done, and batches that failed. */
  metrics: { done: MetricName; lag: MetricName; failed: MetricName };
}

/**
 * Every queue, in the order of the flow. Both engines, the infrastructure with its alarms and dashboard, and script/ops
 * get their queues from this list. docs/architecture.md says what else a new queue needs.
 */
export const queues = {
  store: {
    carries: 'writes',
    // A record has the writes of one group commit, some 20 under load, so this many records fill a transaction.
    embeddedBatch: 50,
    metrics: { done: 'stored', lag: 'stored_lag', failed: 'store_failures' },
  },
  search: {
    carries: 'changes',
    // A record names up to 1,000 messages, but only a few under low load.
    embeddedBatch: 10,
    metrics: { done: 'indexed', lag: 'indexed_lag', failed: 'index_failures' },
  },
  feed: {
    // The embedded engine hands the steps to its followers itself. On AWS, only stages with the feed have this queue.
    carries: 'steps',
    metrics: { done: 'published', lag: 'published_lag', failed: 'publish_failures' },
  },
} as const satisfies Record<string, QueueEntry>;

/** The name of a queue of the AWS engine. */
export type AwsQueue = keyof typeof queues;
/** The name of a queue that both engines have. */
export type QueueName = {
  [Name in AwsQueue]: (typeof queues)[Name] extends { embeddedBatch: number } ? Name : never;
}[AwsQueue];
/** The name of a queue that the store worker sends changes to. */
export type ChangeQueue = {
  [Name in QueueName]: (typeof queues)[Name]['carries'] extends 'changes' ? Name : never;
}[QueueName];

export const awsQueues = Object.keys(queues) as AwsQueue[];
export const queueNames = awsQueues.filter((name): name is QueueName => 'embeddedBatch' in queues[name]);
export const changeQueues = queueNames.filter((name): name is ChangeQueue => queues[name].carries === 'changes');

/**
 * Returns the queues to which the worker of this queue sends the keys of changed messages. The feed queue, which
 * carries steps, is not among them.
 */
export const sendsTo = (name: AwsQueue): ChangeQueue[] => (queues[name].carries === 'writes' ? changeQueues : []);

/** The name of a queue among the services. */
export type QueueService<Name extends AwsQueue = QueueName> = `${Name}Queue`;
export const queueService = <Name extends AwsQueue>(name: Name): QueueService<Name> => `${name}Queue`;

/** The name of a queue's worker. The worker's module exports it under this name, and its function on AWS has it too. */
export type WorkerName = `${AwsQueue}Worker`;
export const workerName = (name: AwsQueue): WorkerName => `${name}Worker`;

/** The environment variables that hold the URLs of a queue and of its dead letters. */
export const queueVariables = (name: AwsQueue) => {
  const prefix = name.toUpperCase() as Uppercase<AwsQueue>;
  return { url: `${prefix}_QUEUE_URL`, deadLetterUrl: `${prefix}_DEAD_LETTER_QUEUE_URL` } as const;
};

/** Makes one value for each queue that both engines have, by the queues' names. */
export const perQueue = <Value>(make: (name: QueueName) => Value): Record<QueueName, Value> =>
  Object.fromEntries(queueNames.map((name) => [name, make(name)])) as Record<QueueName, Value>;

/** Makes one value for each queue that both engines have, by the names that the queues have among the services. */
export const perQueueService = <Value>(make: (name: QueueName) => Value): Record<QueueService, Value> =>
  Object.fromEntries(queueNames.map((name) => [queueService(name), make(name)])) as Record<QueueService, Value>;
