import { limits } from '../../lib/limits.ts';
import { Unavailable } from '../../lib/model/errors.ts';
import type { SystemKey, SystemSecret } from '../../lib/system-secret.ts';
import { systemKeysIn } from '../../lib/system-secret-text.ts';
import { events, log } from '../runtime/observe/log.ts';

/**
 * The system secret as a running function holds it. It is read while the function starts and beside later requests, so
 * that none waits for it but one that comes before the first answer, or after a long time without any.
 */
export class HeldSecret implements SystemSecret {
  readonly #read: () => Promise<string>;
  readonly #now: () => number;
  #held: { keys: readonly SystemKey[]; at: number } | undefined;
  #reading: Promise<readonly SystemKey[]> | undefined;

  /** @param read returns the text of the secret as it is now */
  constructor(read: () => Promise<string>, now: () => number = Date.now) {
    this.#read = read;
    this.#now = now;
    void this.#refresh();
  }

  async keys(): Promise<readonly SystemKey[]> {
    const { refreshMs, heldMs } = limits.systemSecret;
    const held = this.#held;
    // The system's clock, because a monotonic one may stop while Lambda freezes the function. One that was set back far
    // makes the keys look old, so that they are read again.
    const age = held ? Math.abs(this.#now() - held.at) : Number.POSITIVE_INFINITY;
    const reading = age > refreshMs ? this.#refresh() : undefined;
    if (held && age <= heldMs) return held.keys;
    try {
      return await (reading as Promise<readonly SystemKey[]>);
    } catch (error) {
      throw new Unavailable(error);
    }
  }

  #refresh(): Promise<readonly SystemKey[]> {
    if (this.#reading !== undefined) return this.#reading;
    // The keys are those of now or later, however long the answer takes and Lambda freezes the function meanwhile.
    const at = this.#now();
    const reading = this.#read()
      .then((text) => {
        const keys = systemKeysIn(text);
        this.#held = { keys, at };
        return keys;
      })
      .finally(() => {
        this.#reading = undefined;
      });
    this.#reading = reading;
    // Nobody may be waiting for it; the next request tries again.
    reading.catch((error) => log.warn(events.unavailable, { error: error as Error }));
    return reading;
  }
}
