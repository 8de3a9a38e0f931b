/** A read that takes longer than this is slow, in milliseconds. Ordinary reads take 1 to 20 ms. */
export const slowMs = 200;
/** For this long after a slow read, a fast one proves nothing, in milliseconds: both may be taken in turn. */
const provesNothingMs = 60_000;
/** Applications that are remembered, 100 bytes each. Beyond it the one that has read nothing for longest is forgotten. */
const mostRemembered = 10_000;

/** Whether an application's reads are fast. It is unknown until one has ended. */
export type Pace = 'fast' | 'unknown' | 'slow';

/** Remembers how long the reads of each application take. */
export class ReadingPaces {
  /** When an application's last slow read was noted, of `performance.now()`; undefined where it has no recent one. */
  readonly #slowAt = new Map<string, number | undefined>();

  of(application: string): Pace {
    if (!this.#slowAt.has(application)) return 'unknown';
    return this.#slowAt.get(application) === undefined ? 'fast' : 'slow';
  }

  /**
   * Notes that a read of the application ended, or is still running, after this time at work.
   *
   * @param now of `performance.now()`
   */
  note(application: string, ms: number, now: number): void {
    const before = this.#slowAt.get(application);
    const isRecent = before !== undefined && now - before < provesNothingMs;
    // Deleted first, so that it comes last in the order of the map.
    this.#slowAt.delete(application);
    this.#slowAt.set(application, ms > slowMs ? now : isRecent ? before : undefined);
    for (const oldest of this.#slowAt.keys()) {
      if (this.#slowAt.size <= mostRemembered) break;
      this.#slowAt.delete(oldest);
    }
  }
}
