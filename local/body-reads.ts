import { FairQueue } from './fair-queue.ts';

/**
 * Another large body is read only while those that count have fewer bytes than this in total: enough for three batches
 * of 1 MB to wait while one is handled. Without this limit, clients that sent 40 such batches at the same time exceeded
 * the bound of `ClientMemory`, and some of their connections were closed. With 18 MB, the process took 10 to 20 MB more
 * beside such clients, and handled no more batches.
 */
const bytesAtOnce = 4_000_000;
/**
 * While those of one application have fewer bytes than this in total, another one of it is read in any case. Someone
 * without a token can send only the heads of large requests. Without this guarantee, 30 of those a second left an
 * application a tenth of its batches. If many applications send large bodies, the total may be higher; then
 * `ClientMemory` bounds it.
 */
const bytesOfEach = 2_000_000;
/**
 * A body that is still arriving after this time, in milliseconds, counts no longer. So clients that send slowly, or
 * stop, delay the bodies of others by this time: sixteen such bodies of 1 MB begin in a second. `ClientMemory` still
 * counts what they have sent.
 */
const promptMs = 250;

/** A large body that is to be read. */
export interface BodyRead {
  /** See `applicationInQueue`. */
  application: string;
  /** Time of arrival of the request's head, in milliseconds of `performance.now()`. */
  arrivedAt: number;
  /** The size of the body, or a guess if the client has not declared it. */
  bytes: number;
  /** Begins to read the body. */
  begin: () => void;
}

/**
 * Limits the memory of large bodies: those that are being read, and those that wait in `LargeBodies` or are handled.
 * The clients of the others wait until their bodies are read. The applications are served round-robin.
 */
export class BodyReads {
  readonly #waiting = new FairQueue<BodyRead>();
  /** The bodies that count, each with its bytes and the timer that ends this; there is no timer once it was read. */
  readonly #counted = new Map<BodyRead, { bytes: number; timer?: NodeJS.Timeout }>();
  #bytes = 0;
  /** The same bytes by application. */
  readonly #bytesOf = new Map<string, number>();

  /** Begins to read the body after those that wait before it. Returns false if it has to wait. */
  add(read: BodyRead): boolean {
    this.#waiting.add(read);
    this.#beginNext();
    return this.#counted.has(read);
  }

  /** Counts a body that was read, by its real size, until {@link end}. */
  arrived(read: BodyRead, bytes: number): void {
    this.#uncount(read);
    this.#count(read, { bytes });
    this.#beginNext();
  }

  /** Counts the body no longer, and reads it no more if it still waits: it was handled, or its client disconnected. */
  end(read: BodyRead): void {
    this.#waiting.remove(read);
    this.#uncount(read);
    this.#beginNext();
  }

  #beginNext(): void {
    for (;;) {
      const next = this.#waiting.take(
        (application) => this.#bytes < bytesAtOnce || (this.#bytesOf.get(application) ?? 0) < bytesOfEach,
      );
      if (!next) return;
      const timer = setTimeout(() => {
        this.#uncount(next);
        this.#beginNext();
      }, promptMs);
      this.#count(next, { bytes: next.bytes, timer: timer.unref() });
      next.begin();
    }
  }

  #count(read: BodyRead, counted: { bytes: number; timer?: NodeJS.Timeout }): void {
    this.#counted.set(read, counted);
    this.#add(read, counted.bytes);
  }

  #uncount(read: BodyRead): void {
    const counted = this.#counted.get(read);
    if (!counted) return;
    clearTimeout(counted.timer);
    this.#counted.delete(read);
    this.#add(read, -counted.bytes);
  }

  #add({ application }: BodyRead, bytes: number): void {
    this.#bytes += bytes;
    const ofApplication = (this.#bytesOf.get(application) ?? 0) + bytes;
    if (ofApplication === 0) this.#bytesOf.delete(application);
    else this.#bytesOf.set(application, ofApplication);
  }
}
