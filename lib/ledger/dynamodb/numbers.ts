import { limits } from '../../limits.ts';
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
  /** The name under which the parent notes the numbers, so that a repetition of the same request gets them again. */
  claim?: string | undefined;
}

/** Takes the next numbers of a counter in one conditional update. Returns the last of them, or why there are none. */
export async function takeNumbers(
  table: DynamodbTable,
  { parent, counter, count, claim }: Taking,
): Promise<number | Refusal> {
  const values = { ':count': number(count), ':room': number(limits.highestNumber - count) };
  const update: ItemUpdate = claim
    ? {
        UpdateExpression: 'SET #counter = #counter + :count, claims.#claim = #counter + :count',
        ConditionExpression: `${live} AND #counter <= :room AND attribute_not_exists(claims.#claim)`,
        ExpressionAttributeNames: { '#counter': counter, '#claim': claim },
        ExpressionAttributeValues: values,
      }
    : {
        UpdateExpression: 'ADD #counter :count',
        ConditionExpression: `${live} AND #counter <= :room`,
        ExpressionAttributeNames: { '#counter': counter },
        ExpressionAttributeValues: values,
      };
  const outcome = await table.update(parent, update);
  if ('done' in outcome) return numberIn(outcome.done, counter);
  if (!isLive(outcome.refused)) return 'not live';
  // An earlier attempt of this request claimed a number and died. Its number belongs to this attempt.
  const claimed = claim && outcome.refused.claims?.M?.[claim];
  return claimed ? Number(claimed.N) : 'used up';
}
