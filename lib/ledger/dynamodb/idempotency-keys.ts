import { limits } from '../../limits.ts';
import { DependencyFailure, DomainError, KeyInFlight, KeyReused } from '../../model/errors.ts';
import type { IdempotencyKey } from '../ledger.ts';
import { earlierReservation, newReservation, ttlSlackMs } from './reservations.ts';
import { type DynamodbTable, type Item, type ItemKey, number, numberIn, text, textIn } from './table.ts';

/** An idempotency key on which one request has the lease. */
export interface LeasedKey {
  /**
   * When the key was first used, in milliseconds since 1970. It is the time of the write, even if a later request
   * completes it.
   */
  at: number;
  /** The name of the key's reservation: see reservations.ts. */
  reservation: string;
  /** Whether no other request has had the lease before. */
  isFirst: boolean;
  /** The new token that the first attempt generated. A request that takes over uses the same one. */
  candidate: string;
  /** The counter's item as it was a moment ago, if the read succeeded. */
  seen: Item | undefined;
}

/** The lease of a request on its key. `leaseUntil`: when it ends, in milliseconds since 1970. */
interface KeyLease extends Omit<LeasedKey, 'seen'> {
  leaseUntil: number;
}

const keyItem = (id: string) => ({ pk: `key/${id}`, sk: 'key' });

/**
 * Idempotency keys in the ledger's table. The first request with a key takes the lease on it. If that request dies, a
 * retry completes it once the lease has ended, with the number that the first request reserved.
 *
 * The attribute `held_until` is the end of the lease. Functions of earlier releases read the end of the lease from
 * `lease_until`. They do not record numbers, so they must not take over a key of this release. Therefore this release
 * sets `lease_until` to the expiry of the key.
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
   * @param use `candidate`: stored with the key at its first use; `counter`: the item from which the work takes numbers
   * @throws KeyReused, KeyInFlight, and what the work throws
   */
  async once<Result>(
    { id, payload }: IdempotencyKey,
    { candidate, counter }: { candidate: string; counter: ItemKey | undefined },
    work: (key: LeasedKey) => Promise<Result>,
  ): Promise<Result> {
    const [taken, seen] = await Promise.all([
      this.#take(id, payload, candidate),
      counter && this.#table.tryGet([counter]),
    ]);
    if ('result' in taken) return JSON.parse(taken.result) as Result;
    let result: Result;
    try {
      result = await work({ ...taken, seen: seen?.[0] });
    } catch (error) {
      // If nothing was applied and no earlier request had the lease, remove the key. Otherwise a number may have been
      // taken, which a retry must find by the key. So keep the key, but end the lease now, so that a retry need not wait
      // for it. If this call fails, the lease expires by itself.
      const appliedNothing = error instanceof DomainError && error.appliedNothing;
      await (appliedNothing && taken.isFirst ? this.#remove(id, taken) : this.#endLease(id, taken)).catch(
        () => undefined,
      );
      throw error;
    }
    await this.#saveResult(id, taken, JSON.stringify(result));
    return result;
  }

  async #take(id: string, payload: string, candidate: string): Promise<{ result: string } | KeyLease> {
    const now = this.#now();
    const leaseUntil = now + limits.idempotencyLeaseMs;
    const reservation = newReservation();
    const item: Item = {
      pk: text(keyItem(id).pk),
      sk: text(keyItem(id).sk),
      payload: text(payload),
      candidate: text(candidate),
      claim: text(reservation),
      begun_at: number(now),
      held_until: number(leaseUntil),
      lease_until: number(now + limits.idempotencyMs),
      expires: number(Math.ceil((now + limits.idempotencyMs + ttlSlackMs) / 1_000)),
    };
    const outcome = await this.#table.put(item, {
      ConditionExpression: 'attribute_not_exists(pk) OR begun_at <= :expired',
      ExpressionAttributeValues: { ':expired': number(now - limits.idempotencyMs) },
    });
    if ('done' in outcome) return { at: now, candidate, reservation, isFirst: true, leaseUntil };

    const known = outcome.refused;
    if (!known) throw new KeyInFlight();
    if (textIn(known, 'payload') !== payload) throw new KeyReused();
    if (known.answer) return { result: textIn(known, 'answer') };
    if (numberIn(known, leaseOf(known)) > now) throw new KeyInFlight();
    return this.#takeOver(id, known, leaseUntil);
  }

  async #takeOver(id: string, known: Item, leaseUntil: number): Promise<KeyLease> {
    const lease = leaseOf(known);
    const at = numberIn(known, 'begun_at');
    const outcome = await this.#table.update(keyItem(id), {
      UpdateExpression: 'SET held_until = :new, lease_until = :end',
      ConditionExpression: `begun_at = :begun AND ${lease} = :old AND attribute_not_exists(answer)`,
      ExpressionAttributeValues: {
        ':begun': number(at),
        ':old': known[lease] as Item[string],
        ':new': number(leaseUntil),
        ':end': number(at + limits.idempotencyMs),
      },
    });
    if ('refused' in outcome) throw new KeyInFlight();
    const reservation = known.claim ? textIn(known, 'claim') : earlierReservation(id, at);
    return { at, candidate: textIn(known, 'candidate'), reservation, isFirst: false, leaseUntil };
  }

  async #saveResult(id: string, { at }: KeyLease, answer: string): Promise<void> {
    try {
      await this.#table.update(keyItem(id), {
        UpdateExpression: 'SET answer = :answer',
        ConditionExpression: 'begun_at = :begun',
        ExpressionAttributeValues: { ':begun': number(at), ':answer': text(answer) },
      });
    } catch (error) {
      // The write is accepted nevertheless. A retry after the lease finds the recorded number, and returns the same
      // result.
      if (!(error instanceof DependencyFailure)) throw error;
    }
  }

  async #endLease(id: string, lease: KeyLease): Promise<void> {
    const condition = ownedBy(lease);
    await this.#table.update(keyItem(id), {
      UpdateExpression: 'SET held_until = :over',
      ...condition,
      ExpressionAttributeValues: { ...condition.ExpressionAttributeValues, ':over': number(0) },
    });
  }

  async #remove(id: string, lease: KeyLease): Promise<void> {
    await this.#table.remove(keyItem(id), ownedBy(lease));
  }
}

/** Returns the attribute that holds the end of the key's lease. Keys of earlier releases have another. */
const leaseOf = (item: Item): 'held_until' | 'lease_until' => (item.held_until ? 'held_until' : 'lease_until');

/** The condition that no other request has taken over the key. */
const ownedBy = ({ at, leaseUntil }: KeyLease) => ({
  ConditionExpression: 'begun_at = :begun AND held_until = :lease',
  ExpressionAttributeValues: { ':begun': number(at), ':lease': number(leaseUntil) },
});
