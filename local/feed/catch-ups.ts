import type { Parent } from '../../lib/model/keys.ts';
import type { FeedReads, Missed } from './reads.ts';

/** Maximum number of concurrent reads. They run in the reader processes, where requests wait, too. */
const maxConcurrent = 2;

/**
 * Reads what followers missed. After a restart, thousands of followers return at once, most of them with the same last
 * versions: they share one read. Applications are served round-robin, so one with many followers does not delay the
 * others.
 */
export class CatchUps {
  readonly #read: FeedReads['missed'];
  /** Reads that wait or run, by what they read. */
  readonly #shared = new Map<string, Promise<Missed | undefined>>();
  /** What waits, by application. The application that is served next comes first. */
  readonly #waiting = new Map<string, (() => Promise<void>)[]>();
  #running = 0;

  constructor(read: FeedReads['missed']) {
    this.#read = read;
  }

  /** Does the same as `FeedReads.missed`. */
  missed(parent: Parent, after: number): Promise<Missed | undefined> {
    const { token, chat = 0 } = parent;
    const name = `${token}/${chat}/${after}`;
    const known = this.#shared.get(name);
    if (known) return known;
    const { promise, resolve, reject } = Promise.withResolvers<Missed | undefined>();
    this.#shared.set(name, promise);
    const run = async () => {
      // Followers that join from now on need versions that are newer than this read.
      this.#shared.delete(name);
      await this.#read(parent, after).then(resolve, reject);
    };
    const ofApplication = this.#waiting.get(token) ?? [];
    ofApplication.push(run);
    this.#waiting.set(token, ofApplication);
    this.#next();
    return promise;
  }

  #next(): void {
    for (const [token, runs] of this.#waiting) {
      if (this.#running >= maxConcurrent) return;
      const run = runs.shift();
      this.#waiting.delete(token);
      if (runs.length > 0) this.#waiting.set(token, runs);
      if (!run) continue;
      this.#running++;
      void run().finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }
}
