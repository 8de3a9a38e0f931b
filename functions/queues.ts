import type { MetricName } from './runtime/observe/metrics.ts';

/** A queue of the flow and the worker behind it, which is `functions/workers/<name>.ts` and exports `<name>Worker`. */
interface QueueEntry {
  /**
   * What a record holds: writes that the ledger accepted, or the keys of messages that changed in the store. The store
   * worker sends each change to every queue that carries changes.
   */
  carries: 'writes' | 'changes';
  /**
   * Maximum number of records that the embedded engine hands to the worker at a time. infra/queues.ts has the numbers
   * of the AWS engine.
   */
  embeddedBatch: number;
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
} as const satisfies Record<string, QueueEntry>;

export type QueueName = keyof typeof queues;
/** The name of a queue that the store worker sends changes to. */
export type ChangeQueue = {
  [Name in QueueName]: (typeof queues)[Name]['carries'] extends 'changes' ? Name : never;
}[QueueName];

export const queueNames = Object.keys(queues) as QueueName[];
export const changeQueues = queueNames.filter((name): name is ChangeQueue => queues[name].carries === 'changes');

/** Returns the queues that the worker of a queue sends to. */
export const sendsTo = (name: QueueName): ChangeQueue[] => (queues[name].carries === 'writes' ? changeQueues : []);

/** The name of a queue among the services. */
export type QueueService<Name extends QueueName = QueueName> = `${Name}Queue`;
export const queueService = <Name extends QueueName>(name: Name): QueueService<Name> => `${name}Queue`;

/** The name of a queue's worker. The worker's module exports it under this name, and its function on AWS has it too. */
export type WorkerName = `${QueueName}Worker`;
export const workerName = (name: QueueName): WorkerName => `${name}Worker`;

/** The environment variables that hold the URLs of a queue and of its dead letters. */
export const queueVariables = (name: QueueName) => {
  const prefix = name.toUpperCase() as Uppercase<QueueName>;
  return { url: `${prefix}_QUEUE_URL`, deadLetterUrl: `${prefix}_DEAD_LETTER_QUEUE_URL` } as const;
};

/** Makes one value for each queue, by the queues' names. */
export const perQueue = <Value>(make: (name: QueueName) => Value): Record<QueueName, Value> =>
  Object.fromEntries(queueNames.map((name) => [name, make(name)])) as Record<QueueName, Value>;

/** Makes one value for each queue, by the names that the queues have among the services. */
export const perQueueService = <Value>(make: (name: QueueName) => Value): Record<QueueService, Value> =>
  Object.fromEntries(queueNames.map((name) => [queueService(name), make(name)])) as Record<QueueService, Value>;
