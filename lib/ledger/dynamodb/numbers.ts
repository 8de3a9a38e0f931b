import { limits } from '../../limits.ts';
import { Throttled } from '../../model/errors.ts';
import { claimLimit, readClaim, recordNumber, removableClaims } from './claims.ts';
import type { LeasedKey } from './idempotency-keys.ts';
import { type DynamodbTable, type Item, type ItemKey, type ItemUpdate, number, numberIn } from './table.ts';

/** The condition of an update that the item exists and is not deleted. */
export const live = 'attribute_exists(pk) AND attribute_not_exists(deleted)';

export const isLive = (item: Item | undefined): item is Item => item !== undefined && item.deleted === undefined;

/** Why an item was not changed: it does not exist or is deleted, or its numbers or revisions are used up. */
export type Refusal = 'not live' | 'used up';

/** Which numbers a create takes. */
export interface Taking {
  /** The item of the application or chat that holds the counter. */
  parent: ItemKey;
  counter: 'chats' | 'messages';
  /** How many numbers in a row are taken. */
  count: number;
}

/**
 * Maximum number of attempts to take numbers for an idempotency key while DynamoDB throttles the item. Without a key,
 * there are more attempts. With a key one is enough, because the client can safely retry the create. So in a chat that
 * gets too many creates with keys, the creates without keys keep most of their rate.
 */
const keyedTries = 1;

/** Maximum number of times that a create with an idempotency key removes claims because the item is full of them. */
const maxClearings = 2;

/** Takes the next numbers of a counter in one conditional update. Returns the last of them, or why there are none. */
export async function takeNumbers(table: DynamodbTable, { parent, counter, count }: Taking): Promise<number | Refusal> {
  const outcome = await table.update(parent, {
    UpdateExpression: 'ADD #counter :count',
    ConditionExpression: `${live} AND #counter <= :highestBefore`,
    ExpressionAttributeNames: { '#counter': counter },
    ExpressionAttributeValues: valuesOf(count),
  });
  if ('done' in outcome) return numberIn(outcome.done, counter);
  return isLive(outcome.refused) ? 'used up' : 'not live';
}

/**
 * Takes the next numbers for an idempotency key, or returns those that an earlier request took for it. The returned
 * number is recorded, so all requests with the key get the same number.
 *
 * @throws Throttled when the item is full of claims that this call could not remove; nothing was applied
 */
export async function takeNumbersOnce(
  table: DynamodbTable,
  taking: Taking,
  { claim, isFirst, seen, now }: Pick<LeasedKey, 'claim' | 'isFirst' | 'seen'> & { now: () => number },
): Promise<number | Refusal> {
  const { parent, counter, count } = taking;
  const record = (taken: number) => recordNumber(table, parent, { claim, taken, now: now() });
  let item = seen;
  if (!isFirst) {
    const known = await readClaim(table, parent, claim);
    item = known.item;
    if (!isLive(item)) return 'not live';
    if (known.recorded !== undefined) return known.recorded;
    const claimed = claimedNumber(item, claim);
    if (claimed !== undefined) return record(claimed);
  }
  for (let cleared = 0; ; cleared++) {
    const removed = item ? await removableClaims(table, parent, { item, now: now() }) : [];
    const update = claimingUpdate(taking, { claim, removed, maxClaims: claimLimit(item) });
    const outcome = await table.update(parent, update, keyedTries);
    if ('done' in outcome) return record(numberIn(outcome.done, counter));
    item = outcome.refused;
    if (!isLive(item)) return 'not live';
    const claimed = claimedNumber(item, claim);
    if (claimed !== undefined) return record(claimed);
    if (numberIn(item, counter) > limits.highestNumber - count) return 'used up';
    if (cleared === maxClearings) throw new Throttled(new Error('The item of the counter is full of claims'));
  }
}

/** Returns the number that an earlier attempt of the request took and did not record. */
function claimedNumber(item: Item, claim: string): number | undefined {
  const claimed = item.claims?.M?.[claim];
  return claimed && Number(claimed.N);
}

/**
 * Maximum number of claims that the condition of an update names. The update adds one claim and removes others. If the
 * item is full, the condition requires that the item still has one of the named claims to remove, so that the item gets
 * no larger. DynamoDB accepts 300 operators in a condition; this many claims take 60.
 */
const comparedAtOnce = 30;

/**
 * Returns the update that takes numbers, claims them and removes other claims, on the condition that the claim is new.
 * If the item is full, at least one of the claims to remove must still be there, so that the item gets no larger.
 * Concurrent updates may have removed the others.
 */
function claimingUpdate(
  { counter, count }: Taking,
  { claim, removed, maxClaims }: { claim: string; removed: string[]; maxClaims: number },
): ItemUpdate {
  const hasRoom = 'size(claims) < :maxClaims';
  const replacesOne = removed.slice(0, comparedAtOnce).map((_, i) => `attribute_exists(claims.#${i})`);
  return {
    UpdateExpression:
      'SET #counter = #counter + :count, claims.#claim = #counter + :count' +
      (removed.length > 0 ? ` REMOVE ${removed.map((_, i) => `claims.#${i}`).join(', ')}` : ''),
    ConditionExpression:
      `${live} AND #counter <= :highestBefore AND attribute_not_exists(claims.#claim)` +
      ` AND (${[hasRoom, ...replacesOne].join(' OR ')})`,
    ExpressionAttributeNames: {
      '#counter': counter,
      '#claim': claim,
      ...Object.fromEntries(removed.map((name, i) => [`#${i}`, name])),
    },
    ExpressionAttributeValues: { ...valuesOf(count), ':maxClaims': number(maxClaims) },
  };
}

const valuesOf = (count: number): Item => ({
  ':count': number(count),
  ':highestBefore': number(limits.highestNumber - count),
});
