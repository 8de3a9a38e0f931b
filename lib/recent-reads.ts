/** Maximum number of applications in the cache, 100 bytes each. */
export const keptReads = 10_000;

/** A cache of one value for each application. A value is kept for a limited time after it was read. */
export class RecentReads<Value> {
  readonly #keptMs: number;
  readonly #reads = new Map<string, { value: Value; at: number }>();

  /** @param keptMs how long a value is kept after it was read, in milliseconds. With 0, nothing is kept */
  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /**
   * Returns the cached value of the application; undefined when it was not read recently.
   *
   * @param now by the system's clock, because a monotonic one may stop while Lambda freezes the function. If the clock
   * was set back by `keptMs` or more since the value was read, the value is not returned
   */
  get(token: string, now: number): Value | undefined {
    const read = this.#reads.get(token);
    return read && Math.abs(now - read.at) < this.#keptMs ? read.value : undefined;
  }

  /** @param at the time before the value was read */
  set(token: string, value: Value, at: number): void {
    if (this.#keptMs === 0) return;
    // A Map keeps the order of insertion, so the first one is the oldest.
    this.#reads.delete(token);
    const [oldest] = this.#reads.keys();
    if (oldest !== undefined && this.#reads.size >= keptReads) this.#reads.delete(oldest);
    this.#reads.set(token, { value, at });
  }

  delete(token: string): void {
    this.#reads.delete(token);
  }
}
