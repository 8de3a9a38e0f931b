import { limits } from '../../limits.ts';
import { Throttled } from '../../model/errors.ts';
import type { LeasedKey } from './idempotency-keys.ts';
import { reservationsName } from './items.ts';
import { readReservation, recordNumber, removableReservations, reservationLimit } from './reservations.ts';
import { type DynamodbTable, type Item, type ItemKey, type ItemUpdate, number, numberIn } from './table.ts';

/** The condition of an update that the item exists and is not deleted. */
export const exists = 'attribute_exists(pk) AND attribute_not_exists(deleted)';

export const itemExists = (item: Item | undefined): item is Item => item !== undefined && item.deleted === undefined;

/** Why an item was not changed: it does not exist or is deleted, or its numbers or revisions are used up. */
export type Refusal = 'not found' | 'used up';

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

/**
 * Maximum number of times that a create with an idempotency key removes reservations because the item is full of them.
 */
const maxClearings = 2;

/** Takes the next numbers of a counter in one conditional update. Returns the last of them, or why there are none. */
export async function takeNumbers(table: DynamodbTable, { parent, counter, count }: Taking): Promise<number | Refusal> {
  const outcome = await table.update(parent, {
    UpdateExpression: 'ADD #counter :count',
    ConditionExpression: `${exists} AND #counter <= :highestBefore`,
    ExpressionAttributeNames: { '#counter': counter },
    ExpressionAttributeValues: valuesOf(count),
  });
  if ('done' in outcome) return numberIn(outcome.done, counter);
  return itemExists(outcome.refused) ? 'used up' : 'not found';
}

/**
 * Takes the next numbers for an idempotency key, or returns those that an earlier request took for it. The returned
 * number is recorded, so all requests with the key get the same number.
 *
 * @throws Throttled when the item is full of reservations that this call could not remove; nothing was applied
 */
export async function takeNumbersOnce(
  table: DynamodbTable,
  taking: Taking,
  { reservation, isFirst, seen, now }: Pick<LeasedKey, 'reservation' | 'isFirst' | 'seen'> & { now: () => number },
): Promise<number | Refusal> {
  const { parent, counter, count } = taking;
  const record = (taken: number) => recordNumber(table, parent, { reservation, taken, now: now() });
  let item = seen;
  if (!isFirst) {
    const known = await readReservation(table, parent, reservation);
    item = known.item;
    if (!itemExists(item)) return 'not found';
    if (known.recorded !== undefined) return known.recorded;
    const reserved = reservedNumber(item, reservation);
    if (reserved !== undefined) return record(reserved);
  }
  for (let cleared = 0; ; cleared++) {
    const removed = item ? await removableReservations(table, parent, { item, now: now() }) : [];
    const update = reservingUpdate(taking, { reservation, removed, maxReservations: reservationLimit(item) });
    const outcome = await table.update(parent, update, keyedTries);
    if ('done' in outcome) return record(numberIn(outcome.done, counter));
    item = outcome.refused;
    if (!itemExists(item)) return 'not found';
    const reserved = reservedNumber(item, reservation);
    if (reserved !== undefined) return record(reserved);
    if (numberIn(item, counter) > limits.highestNumber - count) return 'used up';
    if (cleared === maxClearings) throw new Throttled(new Error('The item of the counter is full of reservations'));
  }
}

/** Returns the number that an earlier attempt of the request took and did not record. */
function reservedNumber(item: Item, reservation: string): number | undefined {
  const reserved = item[reservationsName]?.M?.[reservation];
  return reserved && Number(reserved.N);
}

/**
 * Maximum number of reservations that the condition of an update names. The update adds one reservation and removes
 * others. If the item is full, the condition requires that the item still has one of the named reservations to remove,
 * so that the item gets no larger. DynamoDB accepts 300 operators in a condition; this many reservations take 60.
 */
const comparedAtOnce = 30;

/**
 * Returns the update that takes numbers, reserves them and removes other reservations, on the condition that the
 * reservation is new. If the item is full, at least one of the reservations to remove must still be there, so that the
 * item gets no larger. Concurrent updates may have removed the others.
 */
function reservingUpdate(
  { counter, count }: Taking,
  { reservation, removed, maxReservations }: { reservation: string; removed: string[]; maxReservations: number },
): ItemUpdate {
  const hasRoom = `size(${reservationsName}) < :maxReservations`;
  const replacesOne = removed.slice(0, comparedAtOnce).map((_, i) => `attribute_exists(${reservationsName}.#${i})`);
  return {
    UpdateExpression:
      `SET #counter = #counter + :count, ${reservationsName}.#reservation = #counter + :count` +
      (removed.length > 0 ? ` REMOVE ${removed.map((_, i) => `${reservationsName}.#${i}`).join(', ')}` : ''),
    ConditionExpression:
      `${exists} AND #counter <= :highestBefore AND attribute_not_exists(${reservationsName}.#reservation)` +
      ` AND (${[hasRoom, ...replacesOne].join(' OR ')})`,
    ExpressionAttributeNames: {
      '#counter': counter,
      '#reservation': reservation,
      ...Object.fromEntries(removed.map((name, i) => [`#${i}`, name])),
    },
    ExpressionAttributeValues: { ...valuesOf(count), ':maxReservations': number(maxReservations) },
  };
}

const valuesOf = (count: number): Item => ({
  ':count': number(count),
  ':highestBefore': number(limits.highestNumber - count),
});
