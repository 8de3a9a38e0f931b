/** Maximum number of applications of which a read is kept, 100 bytes each. */
export const keptReads = 10_000;

/** Keeps what was read of applications for a limited time. */
export class RecentReads<Value> {
  readonly #keptMs: number;
  readonly #reads = new Map<string, { value: Value; at: number }>();

  /** @param keptMs how long a value is kept after it was read, in milliseconds. With 0, nothing is kept */
  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /**
   * Returns what was read of the application; undefined when it was not read recently.
   *
   * @param now by the system's clock, because a monotonic one may stop while Lambda freezes the function. After the
   * clock was set back by `keptMs` or more, what was read looks old
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
