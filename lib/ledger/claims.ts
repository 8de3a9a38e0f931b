import { type Item, type ItemUpdate, number, numberIn, text } from './dynamodb-table.ts';

/**
 * A keyed request's claim to the number it took. The update that takes the number writes the claim into the counter's
 * item, because only that update knows the number. Then the number is copied to the key's own item.
 */
export interface Claim {
  /** The key's id. */
  id: string;
  /** When the key was first used, in milliseconds since 1970. A key that is used again after it expired is another. */
  begunAt: number;
}

export interface ClaimedNumber extends Claim {
  /** The last number that was taken. */
  number: number;
}

/**
 * The claims that a counter's item holds: those of its last keyed takes, so that the item never grows. Each following
 * take copies the numbers of the claims it finds. A number is lost to its key only when the request that took it and the
 * next four all died before they copied it.
 */
const slots = [0, 1, 2, 3] as const;

/**
 * Claims of the release before, in a map of the counter's item, that one update removes: 200 paths of some 12 bytes.
 * DynamoDB takes 4 kB and 300 operators in an expression.
 */
const removedAtOnce = 200;

const nameOf = ({ id, begunAt }: Claim): string => `${begunAt}/${id}`;
const claimOf = (name: string): Claim => {
  const slash = name.indexOf('/');
  return { begunAt: Number(name.slice(0, slash)), id: name.slice(slash + 1) };
};

/**
 * The update that takes the next `count` numbers for a claim. It is refused when the claim has a number already, or when
 * the item's fence has reached `stamp`.
 *
 * @param fences whether it raises the fence to `stamp`: so does whoever takes over a key, and calls that earlier holders
 *   of the key gave up are refused when they arrive late
 * @param live the condition that the item is there and has room
 */
export function claimingUpdate(
  counter: 'chats' | 'messages',
  { claim, stamp, fences }: { claim: Claim; stamp: number; fences: boolean },
  live: { condition: string; values: Item },
): ItemUpdate {
  const shifted = slots.slice(1).flatMap((slot) => {
    const before = slot - 1;
    return [
      `claim_${slot} = if_not_exists(claim_${before}, :none)`,
      `claimed_${slot} = if_not_exists(claimed_${before}, :zero)`,
    ];
  });
  const sets = [
    '#counter = #counter + :count',
    'claim_0 = :claim',
    'claimed_0 = #counter + :count',
    ...shifted,
    ...(fences ? ['fence = :stamp'] : []),
  ];
  const unclaimed = slots.map((slot) => `(attribute_not_exists(claim_${slot}) OR claim_${slot} <> :claim)`);
  return {
    UpdateExpression: `SET ${sets.join(', ')}`,
    ConditionExpression: [
      live.condition,
      ...unclaimed,
      'attribute_not_exists(claims.#claim)',
      '(attribute_not_exists(fence) OR fence < :stamp)',
    ].join(' AND '),
    ExpressionAttributeNames: { '#counter': counter, '#claim': nameOf(claim) },
    ExpressionAttributeValues: {
      ...live.values,
      ':claim': text(nameOf(claim)),
      ':stamp': number(stamp),
      ':none': text(''),
      ':zero': number(0),
    },
  };
}

/** The item's fence: keyed takes with this stamp or a lower one are refused. */
export const fenceOf = (item: Item): number => (item.fence ? numberIn(item, 'fence') : 0);

/** The claims of the last keyed takes, the latest first. */
export const lastClaims = (item: Item): ClaimedNumber[] =>
  slots.flatMap((slot) => {
    const name = item[`claim_${slot}`]?.S;
    return name ? [{ ...claimOf(name), number: numberIn(item, `claimed_${slot}`) }] : [];
  });

/** The number that the claim has in this item, if any. */
export function numberClaimed(item: Item, claim: Claim): number | undefined {
  const old = item.claims?.M?.[nameOf(claim)];
  if (old) return Number(old.N);
  return lastClaims(item).find((one) => nameOf(one) === nameOf(claim))?.number;
}

/**
 * The update that removes claims of the release before whose keys have expired, as many as one expression holds;
 * undefined when there are none. Concurrent callers begin at different places, so that they do not all remove the same.
 */
export function removalOfOldClaims(item: Item, isExpired: (begunAt: number) => boolean): ItemUpdate | undefined {
  const expired = Object.keys(item.claims?.M ?? {}).filter((name) => isExpired(claimOf(name).begunAt));
  if (expired.length === 0) return undefined;
  const from = expired.length > removedAtOnce ? Math.floor(Math.random() * (expired.length - removedAtOnce + 1)) : 0;
  const some = expired.slice(from, from + removedAtOnce);
  return {
    UpdateExpression: `REMOVE ${some.map((_, i) => `claims.#${i}`).join(', ')}`,
    ConditionExpression: 'attribute_exists(claims)',
    ExpressionAttributeNames: Object.fromEntries(some.map((name, i) => [`#${i}`, name])),
  };
}
