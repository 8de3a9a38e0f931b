import { limits } from '../../limits.ts';
import { DependencyFailure, DomainError, KeyInFlight, KeyReused } from '../../model/errors.ts';
import type { IdempotencyKey } from '../ledger.ts';
import { type DynamodbTable, type Item, number, numberIn, text, textIn } from './table.ts';

/** An idempotency key that one request holds. */
export interface HeldKey {
  /**
   * When the key was first used, in milliseconds since 1970. It is the time of the write, even if a later request
   * completes it.
   */
  at: number;
  /** The name under which the item of the counter stores the number taken for this request. */
  claim: string;
  /** The new token that the first attempt generated. A request that takes over uses the same one. */
  candidate: string;
}

/** What a request does under its key. */
interface Keyed<Result> {
  work: (held: HeldKey) => Promise<Result>;
  /**
   * Removes the claim. Called when the result is stored, but only if no other request has ever held the key. If another
   * one has, the claim must stay: a delayed call of the request that lost its lease may still reach the counter. The
   * claim makes that call fail; without the claim, it would take a second number.
   */
  dropClaim: (claim: string) => Promise<void>;
}

/** How a request holds its key. `first`: no other request held it before. `leaseUntil`: in milliseconds since 1970. */
interface Hold extends Omit<HeldKey, 'claim'> {
  first: boolean;
  leaseUntil: number;
}

/**
 * How long after the key's expiry its item and claims are removed, in milliseconds. A function whose clock is behind
 * may still treat the key as valid, but the clocks of functions differ by far less than this.
 */
const ttlSlackMs = 60 * 60 * 1_000;

const keyItem = (id: string) => ({ pk: `key/${id}`, sk: 'key' });

/**
 * Returns the name of a claim. It begins with the time of the key's first use, so that claims of expired keys can be
 * found and removed.
 */
const claimOf = (id: string, at: number): string => `${at}/${id}`;

/** Returns the claims of a counter whose keys have expired. */
export const expiredClaims = (claims: Item, now: number): string[] =>
  Object.keys(claims).filter((claim) => Number.parseInt(claim, 10) + limits.idempotencyMs + ttlSlackMs < now);

/**
 * Idempotency keys in the ledger's table. The first request with a key holds it under a lease. If that request dies, a
 * repetition after the lease completes it, with the number that the first request claimed.
 */
export class IdempotencyKeys {
  readonly #table: DynamodbTable;
  readonly #now: () => number;

  constructor(table: DynamodbTable, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /**
   * Does the work under the key, or returns the result of the earlier request.
   *
   * @param candidate stored with the key at its first use
   * @throws KeyReused, KeyInFlight, and what the work throws
   */
  async once<Result>(
    { id, payload }: IdempotencyKey,
    candidate: string,
    { work, dropClaim }: Keyed<Result>,
  ): Promise<Result> {
    const taken = await this.#take(id, payload, candidate);
    if ('result' in taken) return JSON.parse(taken.result) as Result;
    const claim = claimOf(id, taken.at);
    let result: Result;
    try {
      result = await work({ at: taken.at, candidate: taken.candidate, claim });
    } catch (error) {
      // If nothing was applied and no earlier request held the key, remove it. Otherwise a number may have been taken,
      // which a retry must find by the key. So keep the key, but end the lease now, so that a retry need not wait for
      // it. If this call fails, the lease expires by itself.
      const appliedNothing = error instanceof DomainError && error.appliedNothing;
      await (appliedNothing && taken.first ? this.#forget(id, taken) : this.#giveBack(id, taken)).catch(
        () => undefined,
      );
      throw error;
    }
    if (await this.#keep(id, taken, JSON.stringify(result))) await dropClaim(claim);
    return result;
  }

  async #take(id: string, payload: string, candidate: string): Promise<{ result: string } | Hold> {
    const now = this.#now();
    const leaseUntil = now + limits.idempotencyLeaseMs;
    const item: Item = {
      pk: text(keyItem(id).pk),
      sk: text(keyItem(id).sk),
      payload: text(payload),
      candidate: text(candidate),
      begun_at: number(now),
      lease_until: number(leaseUntil),
      expires: number(Math.ceil((now + limits.idempotencyMs + ttlSlackMs) / 1_000)),
    };
    const outcome = await this.#table.put(item, {
      ConditionExpression: 'attribute_not_exists(pk) OR begun_at <= :expired',
      ExpressionAttributeValues: { ':expired': number(now - limits.idempotencyMs) },
    });
    if ('done' in outcome) return { at: now, candidate, first: true, leaseUntil };

    const known = outcome.refused;
    if (!known) throw new KeyInFlight();
    if (textIn(known, 'payload') !== payload) throw new KeyReused();
    if (known.answer) return { result: textIn(known, 'answer') };
    if (numberIn(known, 'lease_until') > now) throw new KeyInFlight();
    return this.#takeOver(id, known, leaseUntil);
  }

  async #takeOver(id: string, known: Item, leaseUntil: number): Promise<Hold> {
    const outcome = await this.#table.update(keyItem(id), {
      UpdateExpression: 'SET lease_until = :new',
      ConditionExpression: 'begun_at = :begun AND lease_until = :old AND attribute_not_exists(answer)',
      ExpressionAttributeValues: {
        ':begun': known.begun_at as Item[string],
        ':old': known.lease_until as Item[string],
        ':new': number(leaseUntil),
      },
    });
    if ('refused' in outcome) throw new KeyInFlight();
    return { at: numberIn(known, 'begun_at'), candidate: textIn(known, 'candidate'), first: false, leaseUntil };
  }

  /** Stores the result. Returns whether no other request has ever held the key. */
  async #keep(id: string, { at, first, leaseUntil }: Hold, answer: string): Promise<boolean> {
    try {
      const kept = await this.#table.update(keyItem(id), {
        UpdateExpression: 'SET answer = :answer',
        ConditionExpression: 'begun_at = :begun',
        ExpressionAttributeValues: { ':begun': number(at), ':answer': text(answer) },
      });
      return first && 'done' in kept && numberIn(kept.done, 'lease_until') === leaseUntil;
    } catch (error) {
      // The write is accepted nevertheless. A retry after the lease finds the number by the claim, and returns the same
      // result.
      if (error instanceof DependencyFailure) return false;
      throw error;
    }
  }

  async #giveBack(id: string, hold: Hold): Promise<void> {
    const condition = mine(hold);
    await this.#table.update(keyItem(id), {
      UpdateExpression: 'SET lease_until = :over',
      ...condition,
      ExpressionAttributeValues: { ...condition.ExpressionAttributeValues, ':over': number(0) },
    });
  }

  async #forget(id: string, hold: Hold): Promise<void> {
    await this.#table.remove(keyItem(id), mine(hold));
  }
}

/** The condition that no other request has taken over the key. */
const mine = ({ at, leaseUntil }: Hold) => ({
  ConditionExpression: 'begun_at = :begun AND lease_until = :lease',
  ExpressionAttributeValues: { ':begun': number(at), ':lease': number(leaseUntil) },
});
