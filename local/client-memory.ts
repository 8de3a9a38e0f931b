/** A connection as far as the server keeps bytes for it. */
export interface Holder {
  /** Bytes kept for this connection now. */
  bytes: number;
  /** When bytes last arrived for it or left it, in milliseconds of `performance.now()`. */
  progressAt: number;
  /** Ends the connection, because what is kept for it makes no progress. */
  end(): void;
}

/**
 * Bytes kept for all clients together. A third of what a host may grow by under a flood; the rest is garbage that is not
 * collected yet, and what active requests use. Twelve clients may each leave a whole page of 4 MB unread.
 */
const boundBytes = 48_000_000;
/** A connection that keeps bytes here without progress is closed after this long, in milliseconds. */
const stalledMs = 30_000;
const sweepMs = 1_000;

/**
 * Bounds the memory that clients can claim: request bodies under way, parsed requests that wait, and answers that are
 * not read. Above the bound it ends the connection whose bytes have waited longest (bytes times waiting time), so that
 * clients that read and write are not cut off by those that do not.
 */
export class ClientMemory {
  readonly #holders = new Set<Holder>();
  #bytes = 0;

  constructor() {
    setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /** Counts bytes that are kept from now on. This may end connections, the holder's own among them. */
  keep(holder: Holder, bytes: number): void {
    holder.bytes += bytes;
    holder.progressAt = performance.now();
    this.#bytes += bytes;
    this.#holders.add(holder);
    while (this.#bytes > boundBytes) this.#end(this.#longestWaiting());
  }

  /** Subtracts bytes that were processed or sent. Does nothing for a connection that has been ended. */
  release(holder: Holder, bytes: number): void {
    if (!this.#holders.has(holder)) return;
    holder.bytes -= bytes;
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

  #longestWaiting(): Holder {
    const now = performance.now();
    let longest: { holder: Holder; score: number } | undefined;
    for (const holder of this.#holders) {
      // Plus one: of those that arrived in this very millisecond, the largest counts.
      const score = holder.bytes * (now - holder.progressAt + 1);
      if (!longest || score > longest.score) longest = { holder, score };
    }
    if (!longest) throw new Error('Bytes are kept for no connection');
    return longest.holder;
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
