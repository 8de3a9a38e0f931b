import type { Ledger } from '../ledger/ledger.ts';
import { NotFound } from '../model/errors.ts';
import type { Caller, Holder } from '../model/holder.ts';
import { isToken } from '../model/token.ts';
import { RecentReads } from '../recent-reads.ts';
import type { AccessTokens } from './access-tokens.ts';

/** Why a bearer token is refused. `invalid`: it was never valid, was ended, or its application does not exist. */
export type Refused = 'invalid' | 'expired';

/**
 * Makes access tokens, and tells who presents a bearer token. It queries only the ledger.
 *
 * An access token has the generation of its application. Ending all access tokens raises the generation, so whether a
 * token was made before or after that does not depend on any clock.
 */
export class Access {
  readonly #tokens: AccessTokens;
  readonly #ledger: Pick<Ledger, 'accessGeneration'>;
  readonly #now: () => number;
  readonly #generations: RecentReads<number>;

  /**
   * @param options.keptMs how long a generation may be used after it was read, in milliseconds. An ended access token may
   *   still be accepted for that long. With 0, the generation is read for every request
   */
  constructor(options: {
    tokens: AccessTokens;
    ledger: Pick<Ledger, 'accessGeneration'>;
    keptMs: number;
    now?: () => number;
  }) {
    this.#tokens = options.tokens;
    this.#ledger = options.ledger;
    this.#generations = new RecentReads(options.keptMs);
    this.#now = options.now ?? Date.now;
  }

  /**
   * Makes an access token.
   *
   * @param lifetime in seconds
   * @returns the access token, and when it expires, in milliseconds since 1970
   * @throws NotFound for the application; Unavailable; Throttled
   */
  async grant(token: string, holder: Holder, lifetime: number): Promise<{ accessToken: string; expiresAt: number }> {
    const generation = await this.#ledger.accessGeneration(token);
    if (generation === undefined) throw new NotFound('application');
    const now = this.#now();
    const expiresAt = now + lifetime * 1_000;
    return { accessToken: await this.#tokens.seal({ token, generation, expiresAt, ...holder }, now), expiresAt };
  }

  /**
   * Returns who presents a bearer token: an access token, or the token of an application.
   *
   * @throws Unavailable; Throttled
   */
  async callerOf(bearer: string): Promise<Caller | Refused> {
    if (isToken(bearer)) {
      const exists = (await this.#generationOf(bearer, 0)) !== undefined;
      return exists ? { token: bearer, holder: undefined } : 'invalid';
    }
    const claims = await this.#tokens.open(bearer);
    if (!claims) return 'invalid';
    if (claims.expiresAt <= this.#now()) return 'expired';
    // An access token with a lower generation was ended. One with a higher generation was made before the ledger was
    // restored to an earlier state.
    const isCurrent = (await this.#generationOf(claims.token, claims.generation)) === claims.generation;
    return isCurrent ? { token: claims.token, holder: claims } : 'invalid';
  }

  /**
   * Returns the access generation of an application; undefined when it does not exist.
   *
   * @param ofToken the generation in an access token. If it is higher than the cached generation, the token was made
   *   after the cached one was read, so the ledger is read again
   */
  async #generationOf(token: string, ofToken: number): Promise<number | undefined> {
    const now = this.#now();
    const kept = this.#generations.get(token, now);
    if (kept !== undefined && kept >= ofToken) return kept;
    this.#generations.delete(token);
    const generation = await this.#ledger.accessGeneration(token);
    if (generation !== undefined) this.#generations.set(token, generation, now);
    return generation;
  }
}
