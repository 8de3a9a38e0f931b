import { FairQueue } from './fair-queue.ts';
import type { Turns } from './turns.ts';

/**
 * Another request with a large body starts only while the bodies of those in progress have fewer bytes than this in
 * total. So three batches of 1,000 messages of 80 characters are in progress at a time, or one batch of 1 MB. Accepting
 * these takes 20 ms of the accepting thread, so any other request waits about twice that time. With 1 MB as the
 * limit, the 99th percentile of single creates was twice as high, and the throughput of batches was no higher.
 */
const bytesAtOnce = 250_000;

/** A request with a large body. */
interface LargeRequest {
  /** See `applicationInQueue`. */
  application: string;
  /** Time of arrival, in milliseconds of `performance.now()`. */
  arrivedAt: number;
  /** The size of the body. */
  bytes: number;
  /** Handles the request. Must call `done` once, when the response is made. */
  handle: (done: () => void) => void;
}

/**
 * Limits how many requests with large bodies are in progress. Such a request takes milliseconds to parse, to commit and
 * to respond to, and a group commit has all requests that are in progress. Without a limit, a single create beside 50
 * connections that send batches would wait for 50 batches. With it, the batches wait instead, and are taken from the
 * applications round-robin.
 */
export class LargeBodies {
  readonly #turns: Turns;
  /** The memory of the waiting bodies is bounded by `ClientMemory`, because a request whose connection ends is removed. */
  readonly #waiting = new FairQueue<LargeRequest>();
  #bytes = 0;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Handles the request after those that wait before it. */
  add(request: LargeRequest): void {
    this.#waiting.add(request);
    this.#startNext();
  }

  /** Drops the request if it still waits. */
  remove(request: LargeRequest): void {
    this.#waiting.remove(request);
  }

  #startNext(): void {
    while (this.#bytes < bytesAtOnce) {
      const next = this.#waiting.take(() => true);
      if (!next) return;
      this.#bytes += next.bytes;
      // In a later turn of the event loop, so that other requests are read between two bodies.
      this.#turns.continueLater(() =>
        next.handle(() => {
          this.#bytes -= next.bytes;
          this.#startNext();
        }),
      );
    }
  }
}
