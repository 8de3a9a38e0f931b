import { setFlagsFromString } from 'node:v8';

/**
 * By how much V8 lets the space for old objects grow, in percent, until it collects there: `usual`, as script/start sets
 * it, and `withMany` from this number of connections on.
 *
 * With 10,000 connections that create messages, each request waits about a second for its turn, so V8 moves its objects
 * to the space for old objects. With 20 %, V8 collected there 44 times in 12 s, on the second processor too.
 */
const percent = { usual: 20, withMany: 100 };
const manyConnections = 1_000;

/** Tells V8 by how much the heap may grow, for all threads of the process. */
export class HeapGrowth {
  #percent = percent.usual;

  /** @param connections the number of open connections, without streams, which wait for nothing */
  adaptTo(connections: number): void {
    const wanted = connections >= manyConnections ? percent.withMany : percent.usual;
    if (wanted === this.#percent) return;
    this.#percent = wanted;
    // V8 reads this number after each collection, so it may change at any time.
    setFlagsFromString(`--heap-growing-percent=${wanted}`);
  }
}
