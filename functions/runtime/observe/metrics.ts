/** The catalogue: every metric that a report tells, and its unit. */
export const metrics = {
  /** Writes that a request was answered for; one that was repeated with its Idempotency-Key counts again. */
  accepted: 'Count',
  /** Writes of a batch that are committed to SQL. */
  stored: 'Count',
  /** From the acceptance of the oldest write of a batch to the commit; of writes that a client asked for. */
  stored_lag: 'Seconds',
  /** Messages of a batch that the search index has taken; it shows them when it refreshes, within a second. */
  indexed: 'Count',
  /** As stored_lag, to the moment when the index has taken the batch. */
  indexed_lag: 'Seconds',
  /** Batches for the store that failed as a whole, and come again. */
  store_failures: 'Count',
  /** Batches for the search index that did. */
  index_failures: 'Count',
  /** Records of a batch that were delivered before: the batch failed then, or the queue delivered them twice. */
  duplicates: 'Count',
  /** Records of a batch that were put aside as dead letters. */
  poison: 'Count',
  /** Changed chats and applications that a roll-up counted. */
  rolled_up: 'Count',
  /** Records that were parked while the store queue was out, and are sent now. */
  swept: 'Count',
} as const;

/** Where CloudWatch keeps them; the dimension `service` names the deployment. */
export const metricsNamespace = 'ChatSystem';

export type MetricName = keyof typeof metrics;
export type Measured = { [Name in MetricName]?: number | undefined };
