/** A connection as far as the server keeps bytes for it. */
export interface Holder {
  /** Bytes kept for this connection now. */
  bytes: number;
  /** When the server began to keep bytes for it, as `performance.now()`, in milliseconds. */
  since: number;
  /** When bytes last arrived for it or left it, likewise. */
  progressAt: number;
  /** Bytes that arrived or left since then. */
  moved: number;
  /** Ends the connection, because what is kept for it makes no progress. */
  end(): void;
}

/**
 * Most bytes kept for all clients together. A flood may make a host grow by 150 MB. Three quarters of that is garbage that
 * is not collected yet, and memory that active requests use. Nine clients may each leave a whole page of 4 MB unread.
 */
const boundBytes = 36_000_000;
/** A connection that keeps bytes here without progress is closed after this long, in milliseconds. */
const stalledMs = 30_000;
const sweepMs = 1_000;
/** Bytes that count as moved from the beginning, so that a client that has just begun is not the slowest. */
const creditBytes = 65_536;

/**
 * Bounds the memory that clients can claim: request bodies under way, parsed requests that wait, and answers that are
 * not read. Above the bound it ends the connection that keeps the most for its speed, so that clients that read and write
 * are not cut off by those that do not, nor by those that trickle.
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
   * The connection that keeps the most for its speed. Only the time of the last byte would not do: one byte a second would
   * save a connection, and the largest honest one would be ended in its place.
   */
  #slowest(): Holder {
    const now = performance.now();
    let slowest: { holder: Holder; score: number } | undefined;
    for (const holder of this.#holders) {
      const moved = holder.moved + creditBytes;
      // Plus one: of those that began in this very millisecond, the largest counts.
      const score = (holder.bytes * (now - holder.since + 1)) / moved ** 2;
      if (!slowest || score > slowest.score) slowest = { holder, score };
    }
    if (!slowest) throw new Error('Bytes are kept for no connection');
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
