/** All metrics of reports, and their units. */
export const metrics = {
  /** Accepted writes. A retry with the same Idempotency-Key counts again. */
  accepted: 'Count',
  /** Writes of a batch that are committed to SQL. */
  stored: 'Count',
  /**
   * Time from the acceptance of the oldest write of a batch to the commit. Writes that no client requested, such as
   * those of an import, do not count.
   */
  stored_lag: 'Seconds',
  /**
   * Messages of a batch that the search index has accepted. They can be found after its next refresh, within a second.
   */
  indexed: 'Count',
  /** Like stored_lag, but up to the time at which the search index accepted the batch. */
  indexed_lag: 'Seconds',
  /** Steps of a batch that the feed has accepted for its followers. */
  published: 'Count',
  /** Like stored_lag, but up to the time at which the feed accepted the batch. */
  published_lag: 'Seconds',
  /** Batches for the store that failed as a whole and will be retried. */
  store_failures: 'Count',
  /** Batches for the search index that failed as a whole and will be retried. */
  index_failures: 'Count',
  /** Batches for the feed that failed as a whole or in part and will be retried. */
  publish_failures: 'Count',
  /** Records of a batch that had been delivered before: their batch failed, or the queue delivered them twice. */
  duplicates: 'Count',
  /** Records of a batch that became dead letters. */
  poison: 'Count',
  /** Changed chats and applications that a roll-up counted. */
  rolled_up: 'Count',
  /** Records that were parked during an outage of the store queue and have now been sent. */
  swept: 'Count',
} as const;

/** The CloudWatch namespace of the metrics. The dimension `service` names the deployment. */
export const metricsNamespace = 'ChatSystem';

export type MetricName = keyof typeof metrics;
export type Measured = { [Name in MetricName]?: number | undefined };
