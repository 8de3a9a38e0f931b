/**
 * An application is slow if its reads cost more processor time than this on average, in milliseconds. Ordinary reads
 * cost 1 to 20 ms.
 */
const slowAverageMs = 25;
/**
 * The weight of the latest read in the average: after a read of 1 s, eighteen ordinary ones make an application fast.
 */
const latestWeight = 0.2;
/**
 * A read costs at least this share of the time that it takes, because it occupies a process while it waits for the
 * disk. The share is small because on a busy machine every read spends time waiting for a processor.
 */
const waitingShare = 0.1;
/**
 * Maximum number of applications that are remembered, at 100 bytes each. Beyond this, the application whose last read
 * is the oldest is forgotten.
 */
const maxRemembered = 10_000;

/** How fast an application's reads are: unknown until one has ended. */
export type Pace = 'fast' | 'unknown' | 'slow';

/** Remembers what the reads of each application cost. */
export class ReadingPaces {
  readonly #averages = new Map<string, number>();

  of(application: string): Pace {
    const average = this.#averages.get(application);
    if (average === undefined) return 'unknown';
    return average > slowAverageMs ? 'slow' : 'fast';
  }

  /**
   * Records that a read of the application ended, with the time that it ran and its processor time, both in
   * milliseconds.
   */
  note(application: string, { runMs, cpuMs }: { runMs: number; cpuMs: number }): void {
    const cost = Math.max(cpuMs, runMs * waitingShare);
    const before = this.#averages.get(application) ?? cost;
    // Deleted first, so that it comes last in the order of the map.
    this.#averages.delete(application);
    this.#averages.set(application, before + (cost - before) * latestWeight);
    for (const oldest of this.#averages.keys()) {
      if (this.#averages.size <= maxRemembered) break;
      this.#averages.delete(oldest);
    }
  }
}
