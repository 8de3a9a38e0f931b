import { Problem, unavailable } from '../api/problems.ts';
import { limits } from '../limits.ts';
import type { Claim, ClaimedNumber } from './claims.ts';
import { type DynamodbTable, type Item, number, numberIn, text, textIn } from './dynamodb-table.ts';
import type { IdempotencyKey } from './ledger.ts';

/** A request that has its key to itself. */
export interface KeyInHand {
  /** When the key was first used: the write is accepted as of this time, whoever completes it. */
  at: number;
  /** What the first holder generated, for whoever completes the request. */
  candidate: string;
  /** Names the number that is taken for this request. */
  claim: Claim;
  /** Whether nobody held the key before. */
  first: boolean;
  /** Not below the stamp of any earlier holder. Milliseconds since 1970 by the clock of one of them. */
  stamp: number;
  /** The number that is on record for this key: it is used, and none is taken. */
  number: number | undefined;
}

/** A key that this request holds until `heldUntil`. */
interface Hold extends KeyInHand {
  heldUntil: number;
}

/** DynamoDB removes expired items some time later; until then they count as expired by their own time. */
const ttlSlackMs = 60_000;

const place = (id: string) => ({ pk: `key/${id}`, sk: 'key' });

/** Whether a key that was first used at this time has expired, for every clock that is right within a minute. */
export const isExpired = (begunAt: number, now: number): boolean => begunAt + limits.idempotencyMs + ttlSlackMs < now;

/**
 * Idempotency keys in the ledger's table. The first request with a key holds it under a lease. When that request dies,
 * the first one that repeats it after the lease completes it, under the number that is on record in the key's item.
 *
 * The lease is `held_until`. Functions of the release before know `lease_until` alone, and nothing of numbers on record:
 * for them the key is in flight until it expires, unless it has its answer.
 */
export class IdempotencyKeys {
  readonly #table: DynamodbTable;
  readonly #now: () => number;

  constructor(table: DynamodbTable, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /**
   * Does the work under the key, or returns what it returned the first time.
   *
   * @param candidate kept with the key at its first use
   * @throws Problem idempotency_key_reused, idempotency_in_flight, and what the work throws
   */
  async once<Result>(
    { id, payload }: IdempotencyKey,
    candidate: string,
    work: (hand: KeyInHand) => Promise<Result>,
  ): Promise<Result> {
    const hold = await this.#take(id, payload, candidate);
    if ('result' in hold) return JSON.parse(hold.result) as Result;
    let result: Result;
    try {
      result = await work(hold);
    } catch (error) {
      // A refused request does not keep its key, unless an earlier holder may have taken a number: the key must lead to
      // it. After an unknown outcome the next request need not wait for the lease. When neither can be written, the
      // lease runs out.
      const refused = error instanceof Problem && error.status < 500;
      await (refused && hold.first ? this.#forget(hold) : this.#giveBack(hold)).catch(() => undefined);
      throw error;
    }
    await this.#keep(hold, JSON.stringify(result));
    return result;
  }

  /**
   * Puts the number on record for its key. Returns the number that is on record then: whoever writes first decides.
   *
   * @throws Problem unavailable, also when the key has expired meanwhile: nothing may be sent under the number then
   */
  async record({ id, begunAt, number: taken }: ClaimedNumber): Promise<number> {
    const outcome = await this.#table.updateRepeatably(place(id), {
      UpdateExpression: 'SET taken = if_not_exists(taken, :taken)',
      ConditionExpression: 'begun_at = :begun',
      ExpressionAttributeValues: { ':begun': number(begunAt), ':taken': number(taken) },
    });
    if ('refused' in outcome) throw unavailable(new Error('the key expired while its request was under way'));
    return numberIn(outcome.done, 'taken');
  }

  /** Puts the numbers of other requests on record that died before they could, as far as their keys are still known. */
  async recordForOthers(claims: ClaimedNumber[]): Promise<void> {
    const known = claims.filter(({ begunAt }) => !isExpired(begunAt, this.#now()));
    if (known.length === 0) return;
    const items = await this.#table.get(known.map(({ id }) => place(id)));
    const lacking = known.filter(({ begunAt }, i) => {
      const item = items[i];
      return item && numberIn(item, 'begun_at') === begunAt && !item.taken && !item.answer;
    });
    await Promise.all(lacking.map((claim) => this.record(claim)));
  }

  async #take(id: string, payload: string, candidate: string): Promise<{ result: string } | Hold> {
    const now = this.#now();
    const heldUntil = now + limits.idempotencyLeaseMs;
    const item: Item = {
      pk: text(place(id).pk),
      sk: text(place(id).sk),
      payload: text(payload),
      candidate: text(candidate),
      begun_at: number(now),
      stamp: number(now),
      held_until: number(heldUntil),
      lease_until: number(now + limits.idempotencyMs),
      expires: number(Math.ceil((now + limits.idempotencyMs + ttlSlackMs) / 1_000)),
    };
    const outcome = await this.#table.put(item, {
      ConditionExpression: 'attribute_not_exists(pk) OR begun_at <= :expired',
      ExpressionAttributeValues: { ':expired': number(now - limits.idempotencyMs) },
    });
    if ('done' in outcome)
      return {
        at: now,
        candidate,
        claim: { id, begunAt: now },
        first: true,
        stamp: now,
        number: undefined,
        heldUntil,
      };

    const known = outcome.refused;
    if (!known) throw inFlight();
    if (textIn(known, 'payload') !== payload)
      throw new Problem('idempotency_key_reused', 'This Idempotency-Key came with another payload before.');
    if (known.answer) return { result: textIn(known, 'answer') };
    if (numberIn(known, leaseOf(known)) > now) throw inFlight();
    return this.#takeOver(id, known, now);
  }

  async #takeOver(id: string, known: Item, now: number): Promise<Hold> {
    const lease = leaseOf(known);
    const heldUntil = now + limits.idempotencyLeaseMs;
    const begunAt = numberIn(known, 'begun_at');
    const stamp = Math.max(now, known.stamp ? numberIn(known, 'stamp') : begunAt);
    const outcome = await this.#table.update(place(id), {
      UpdateExpression: 'SET held_until = :new, lease_until = :end, stamp = :stamp',
      ConditionExpression: `begun_at = :begun AND ${lease} = :old AND attribute_not_exists(answer)`,
      ExpressionAttributeValues: {
        ':begun': number(begunAt),
        ':old': known[lease] as Item[string],
        ':new': number(heldUntil),
        ':end': number(begunAt + limits.idempotencyMs),
        ':stamp': number(stamp),
      },
    });
    if ('refused' in outcome) throw inFlight();
    return {
      at: begunAt,
      candidate: textIn(known, 'candidate'),
      claim: { id, begunAt },
      first: false,
      stamp,
      number: outcome.done.taken && numberIn(outcome.done, 'taken'),
      heldUntil,
    };
  }

  async #keep({ claim: { id }, at }: Hold, answer: string): Promise<void> {
    try {
      await this.#table.update(place(id), {
        UpdateExpression: 'SET answer = :answer',
        ConditionExpression: 'begun_at = :begun',
        ExpressionAttributeValues: { ':begun': number(at), ':answer': text(answer) },
      });
    } catch (error) {
      // The write is accepted. A repetition after the lease is completed under the number on record.
      if (!(error instanceof Problem)) throw error;
    }
  }

  async #giveBack(hold: Hold): Promise<void> {
    const condition = mine(hold);
    await this.#table.update(place(hold.claim.id), {
      UpdateExpression: 'SET held_until = :over',
      ...condition,
      ExpressionAttributeValues: { ...condition.ExpressionAttributeValues, ':over': number(0) },
    });
  }

  async #forget(hold: Hold): Promise<void> {
    await this.#table.remove(place(hold.claim.id), mine(hold));
  }
}

/** The attribute that holds the end of a key's lease: functions of the release before wrote another. */
const leaseOf = (item: Item): 'held_until' | 'lease_until' => (item.held_until ? 'held_until' : 'lease_until');

/** The condition that nobody has taken the key over. */
const mine = ({ at, heldUntil }: Hold) => ({
  ConditionExpression: 'begun_at = :begun AND held_until = :lease',
  ExpressionAttributeValues: { ':begun': number(at), ':lease': number(heldUntil) },
});

const inFlight = () =>
  new Problem('idempotency_in_flight', 'The first request with this Idempotency-Key has not ended; ask again.', {
    headers: { 'Retry-After': String(limits.retryAfterSeconds) },
  });
