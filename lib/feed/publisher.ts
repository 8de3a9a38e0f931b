/** Publishes events to the channels of the feed. */
export interface Publisher {
  /**
   * Publishes up to `limits.appsync.eventsPerPublish` events, each the text of a JSON value, to one channel. An event may
   * reach its followers twice, because a response can be lost.
   *
   * @returns the events that were not published, by their index
   * @throws Unavailable when the service did not accept the request: it is down, throttles, or refuses this caller
   */
  publish(channel: string, events: string[]): Promise<NotPublished[]>;
}

/** An event that the service did not publish. */
export interface NotPublished {
  index: number;
  reason: string;
  /** Whether the service will never accept it, because the event itself is wrong. */
  final: boolean;
}
