/** What {@link ClientMemory} knows of one connection. */
export interface Holder {
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
 * Most bytes kept for all clients together: enough for nine clients that each leave a page of 4 MB unread. At this
 * bound, a flood makes the process grow by up to 150 MB. Three quarters of that is garbage that is not collected yet,
 * and memory that active requests use.
 */
const boundBytes = 36_000_000;
/** A connection that keeps bytes here without progress is closed after this long, in milliseconds. */
const stalledMs = 30_000;
const sweepMs = 1_000;
/** Bytes that count as moved from the beginning, so that a client that has just begun is not the slowest. */
const creditBytes = 65_536;

/**
 * Bounds the memory that clients can claim: request bodies that are still arriving, parsed requests that wait, and
 * responses that the client has not read yet. Above the bound, it closes the connection that is slowest for the bytes
 * that it keeps. So clients that send nothing, read nothing or send one byte at a time cannot push out clients that
 * make progress.
 */
export class ClientMemory {
  readonly #holders = new Set<Holder>();
  #bytes = 0;

  constructor() {
    setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /**
   * Counts bytes that are kept from now on. This may end connections, the holder's own among them.
   *
   * @param moved how many of them the client has sent just now
   */
  keep(holder: Holder, bytes: number, moved = 0): void {
    const now = performance.now();
    if (!this.#holders.has(holder)) {
      this.#holders.add(holder);
      Object.assign(holder, { since: now, moved: 0 });
    }
    holder.bytes += bytes;
    holder.moved += moved;
    holder.progressAt = now;
    this.#bytes += bytes;
    while (this.#bytes > boundBytes) this.#end(this.#slowest());
  }

  /**
   * Subtracts bytes that were processed or sent. Does nothing for a connection that has been ended.
   *
   * @param moved how many of them left
   */
  release(holder: Holder, bytes: number, moved = bytes): void {
    if (!this.#holders.has(holder)) return;
    holder.bytes -= bytes;
    holder.moved += moved;
    holder.progressAt = performance.now();
    this.#bytes -= bytes;
    if (holder.bytes <= 0) this.forget(holder);
  }

  /** Counts nothing for this connection any more. */
  forget(holder: Holder): void {
    if (!this.#holders.delete(holder)) return;
    this.#bytes -= holder.bytes;
    holder.bytes = 0;
  }

  /**
   * Returns the connection that is slowest for the bytes that it keeps. The time of the last byte alone is not enough:
   * a client could stay connected by sending one byte a second, and the largest active connection would be closed
   * instead.
   */
  #slowest(): Holder {
    const now = performance.now();
    let slowest: { holder: Holder; score: number } | undefined;
    for (const holder of this.#holders) {
      const moved = holder.moved + creditBytes;
      // Plus one, so that among connections that began in this millisecond, the one with the most bytes has the highest
      // score.
      const score = (holder.bytes * (now - holder.since + 1)) / moved ** 2;
      if (!slowest || score > slowest.score) slowest = { holder, score };
    }
    if (!slowest) throw new Error('The bytes kept exceed the bound, but no connection keeps any');
    return slowest.holder;
  }

  #sweep(): void {
    const now = performance.now();
    for (const holder of this.#holders) if (now - holder.progressAt >= stalledMs) this.#end(holder);
  }

  #end(holder: Holder): void {
    this.forget(holder);
    holder.end();
  }
}
