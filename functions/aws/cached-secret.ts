import { limits } from '../../lib/limits.ts';
import { Unavailable } from '../../lib/model/errors.ts';
import type { SystemKey, SystemSecret } from '../../lib/system-secret.ts';
import { systemKeysIn } from '../../lib/system-secret-text.ts';
import { log, logEvents } from '../runtime/observe/log.ts';

/**
 * The system secret as a running function caches it. It is read during the start and refreshed in the background of
 * requests. So a request waits for it only when the first read has not ended, or after a long time without requests.
 */
export class CachedSecret implements SystemSecret {
  readonly #read: () => Promise<string>;
  readonly #now: () => number;
  #cached: { keys: readonly SystemKey[]; at: number } | undefined;
  #reading: Promise<readonly SystemKey[]> | undefined;

  /** @param read returns the text of the secret as it is now */
  constructor(read: () => Promise<string>, now: () => number = Date.now) {
    this.#read = read;
    this.#now = now;
    void this.#refresh();
  }

  async keys(): Promise<readonly SystemKey[]> {
    const { refreshMs, cachedMs } = limits.systemSecret;
    const cached = this.#cached;
    // The system's clock, because a monotonic one may stop while Lambda freezes the function. The age is absolute,
    // so that the keys are also read again after the clock was set back by a long time.
    const age = cached ? Math.abs(this.#now() - cached.at) : Number.POSITIVE_INFINITY;
    const reading = age > refreshMs ? this.#refresh() : undefined;
    if (cached && age <= cachedMs) return cached.keys;
    try {
      return await (reading as Promise<readonly SystemKey[]>);
    } catch (error) {
      throw new Unavailable(error);
    }
  }

  #refresh(): Promise<readonly SystemKey[]> {
    if (this.#reading !== undefined) return this.#reading;
    // The time before the read, because the keys are at least as new as this. The response may take long, and Lambda
    // may freeze the function meanwhile.
    const at = this.#now();
    const reading = this.#read()
      .then((text) => {
        const keys = systemKeysIn(text);
        this.#cached = { keys, at };
        return keys;
      })
      .finally(() => {
        this.#reading = undefined;
      });
    this.#reading = reading;
    // Possibly no request waits for this read, so its error is handled here. The next request tries again.
    reading.catch((error) => log.warn(logEvents.unavailable, { error: error as Error }));
    return reading;
  }
}
