/** What {@link ClientMemory} knows of one connection. */
export interface TrackedConnection {
  /** Bytes kept for this connection now. */
  bytes: number;
  /** When the server began to keep bytes for it, as `performance.now()`, in milliseconds. */
  since: number;
  /** When bytes last arrived or left, as `performance.now()`, in milliseconds. */
  progressAt: number;
  /** Bytes that arrived or left since `since`. */
  moved: number;
  /** Closes the connection, because it is too slow for the memory that it takes. */
  end(): void;
}

/**
 * Maximum number of bytes kept for all clients together: enough for nine clients that each leave a page of 4 MB unread.
 * At this bound, a flood makes the process grow by up to 150 MB. Three quarters of that is garbage that is not
 * collected yet, and memory that active requests use.
 */
const boundBytes = 36_000_000;
/** Time after which a connection is closed when bytes are kept for it and none arrive or leave, in milliseconds. */
const stalledMs = 30_000;
const sweepMs = 1_000;
/**
 * Added to the number of bytes that a client has moved, so that a client that has just begun to send or read does not
 * count as the slowest.
 */
const creditBytes = 65_536;

/**
 * Bounds the memory that clients can claim: request bodies that are still arriving, parsed requests that wait, and
 * responses that the client has not read yet. Above the bound, it closes the connection that makes the least progress
 * for each byte that the server keeps for it. So clients that send nothing, read nothing or send one byte at a time
 * cannot push out clients that make progress.
 */
export class ClientMemory {
  readonly #connections = new Set<TrackedConnection>();
  #bytes = 0;

  constructor() {
    setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /**
   * Counts bytes that are kept from now on. This may end connections, even this one.
   *
   * @param moved how many of them the client has sent just now
   */
  keep(connection: TrackedConnection, bytes: number, moved = 0): void {
    const now = performance.now();
    if (!this.#connections.has(connection)) {
      this.#connections.add(connection);
      Object.assign(connection, { since: now, moved: 0 });
    }
    connection.bytes += bytes;
    connection.moved += moved;
    connection.progressAt = now;
    this.#bytes += bytes;
    while (this.#bytes > boundBytes) this.#end(this.#slowest());
  }

  /**
   * Subtracts bytes that were processed or sent. Does nothing for a connection that has been ended.
   *
   * @param moved how many of them left
   */
  release(connection: TrackedConnection, bytes: number, moved = bytes): void {
    if (!this.#connections.has(connection)) return;
    connection.bytes -= bytes;
    connection.moved += moved;
    connection.progressAt = performance.now();
    this.#bytes -= bytes;
    if (connection.bytes <= 0) this.forget(connection);
  }

  /** Counts nothing for this connection any more. */
  forget(connection: TrackedConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.#bytes -= connection.bytes;
    connection.bytes = 0;
  }

  /**
   * Returns the connection that makes the least progress for each byte that the server keeps for it. The time of the
   * last byte alone is not enough: a client could then stay connected by sending one byte a second, and the largest
   * active connection would be closed instead.
   */
  #slowest(): TrackedConnection {
    const now = performance.now();
    let slowest: { connection: TrackedConnection; score: number } | undefined;
    for (const connection of this.#connections) {
      const moved = connection.moved + creditBytes;
      // Plus one, so that among connections that began in this millisecond, the one with the most bytes has the highest
      // score.
      const score = (connection.bytes * (now - connection.since + 1)) / moved ** 2;
      if (!slowest || score > slowest.score) slowest = { connection, score };
    }
    if (!slowest) throw new Error('The bytes kept exceed the bound, but no connection keeps any');
    return slowest.connection;
  }

  #sweep(): void {
    const now = performance.now();
    for (const connection of this.#connections) if (now - connection.progressAt >= stalledMs) this.#end(connection);
  }

  #end(connection: TrackedConnection): void {
    this.forget(connection);
    connection.end();
  }
}
