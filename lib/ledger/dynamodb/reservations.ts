import { randomInt } from 'node:crypto';
import { limits } from '../../limits.ts';
import { DependencyFailure, Unavailable } from '../../model/errors.ts';
import { newToken } from '../../model/token.ts';
import { reservationsName } from './items.ts';
import { type DynamodbTable, type Item, type ItemKey, number, numberIn, text } from './table.ts';

// Only the update that takes a number knows the number. So that update (a *take*) also writes the number into the
// counter's item, as the reservation of its idempotency key. Before a request uses the number, it records the number:
// it writes the number to a separate item, on the condition that this item does not exist. Once the number is recorded,
// its reservation may be removed. A later take removes older reservations in the same update that takes its own number.
// So the counter's item stays small, and a create with a key writes it only once.

const hour = 60 * 60 * 1_000;

/**
 * How long after its expiry an idempotency key, with everything that belongs to it, is kept in the table, in
 * milliseconds. A function whose clock is behind may still treat the key as valid, but the clocks of functions differ
 * by far less than this.
 */
export const ttlSlackMs = hour;

/**
 * How many of the latest reservations a counter's item keeps, although their numbers are recorded. A call may reach
 * DynamoDB late, when its request has given up and another request took a number for the same key. While the item has
 * the key's reservation, the late call is refused. Without the reservation, the call takes a second number, which
 * nobody uses.
 */
export const reservationsKept = 8;

/**
 * The number of reservations above which a take removes some. Before it removes reservations, it must read whether
 * their numbers are recorded. This is twice the number of reservations kept, so that most takes remove none and need
 * not read.
 */
const reservationsTolerated = 2 * reservationsKept;

/**
 * Maximum number of reservations in an item. A take is refused if it would add another. A reservation has 18 bytes,
 * with numbers of up to eight digits, and the rest of an item about 110. So with a name of up to 50 bytes the item
 * stays within 1 KiB, which is one write unit. While clients send more keyed creates to a chat than DynamoDB accepts,
 * the item has 20 to 48 reservations: the longer the calls take, the more reservations it has.
 */
export const maxReservations = 48;

/**
 * Maximum number of reservations that a take removes: as many items as one `BatchGetItem` reads. DynamoDB accepts
 * expressions of 4 kB, and the paths of this many reservations have 1.4 kB.
 */
const removedAtOnce = 100;

/**
 * Returns the name of a new reservation: 72 random bits. It is short because DynamoDB charges for an item by its size;
 * the key's id, for comparison, has 43 characters. A collision would give a message the number of another. Its
 * probability, among the reservations of a day with 1,000 creates a second in one chat, is less than one in a million.
 */
export const newReservation = (): string => newToken().slice(0, 12);

/**
 * Returns the name that earlier releases gave a reservation: the time of the key's first use and the key's id. Keys
 * that began under such a release have it.
 */
export const earlierReservation = (id: string, at: number): string => `${at}/${id}`;

const isEarlier = (name: string): boolean => name.includes('/');

/** Returns when the key of a reservation of an earlier release was first used, in milliseconds since 1970. */
const firstUse = (name: string): number => Number.parseInt(name, 10);

/**
 * Returns the number of reservations at which a take is refused. Reservations of an earlier release are not counted,
 * because that release did not limit their number, and they cannot be removed in the first hour.
 */
export const reservationLimit = (counter: Item | undefined): number =>
  maxReservations + Object.keys(counter?.[reservationsName]?.M ?? {}).filter(isEarlier).length;

const numberKey = (counter: ItemKey, reservation: string): ItemKey => ({
  pk: `claim/${counter.pk}/${reservation}`,
  sk: 'claim',
});

/**
 * Records the number of a reservation, unless one is recorded already. So no two numbers are used for a key, whatever
 * calls arrive late. A call may be repeated, and it may record the number of a reservation that another request made.
 *
 * @returns the recorded number
 * @throws Unavailable
 */
export async function recordNumber(
  table: DynamodbTable,
  counter: ItemKey,
  { reservation, taken, now }: { reservation: string; taken: number; now: number },
): Promise<number> {
  const { pk, sk } = numberKey(counter, reservation);
  const expires = number(Math.ceil((now + limits.idempotencyMs + ttlSlackMs) / 1_000));
  const outcome = await table.insert({ pk: text(pk), sk: text(sk), number: number(taken), expires });
  if ('done' in outcome) return taken;
  if (!outcome.refused) throw new Unavailable(new Error('DynamoDB did not return the item that refused the write'));
  return numberIn(outcome.refused, 'number');
}

/** Returns the counter's item and the number that is recorded for the reservation, each undefined if there is none. */
export async function readReservation(
  table: DynamodbTable,
  counter: ItemKey,
  reservation: string,
): Promise<{ item: Item | undefined; recorded: number | undefined }> {
  const [item, recorded] = await table.get([counter, numberKey(counter, reservation)]);
  return { item, recorded: recorded && numberIn(recorded, 'number') };
}

/**
 * Returns the reservations that the next take may remove: those of an earlier release whose keys are expired and, if
 * the item has many reservations, some of the older ones. It first records the numbers of reservations that have no
 * record yet, because the requests of these reservations have probably died. Concurrent callers get different
 * reservations.
 *
 * @param item the counter's item, which may be out of date
 */
export async function removableReservations(
  table: DynamodbTable,
  counter: ItemKey,
  { item, now }: { item: Item; now: number },
): Promise<string[]> {
  const all = Object.entries(item[reservationsName]?.M ?? {}).map(([name, { N }]) => ({ name, taken: Number(N) }));
  const isExpired = ({ name }: { name: string }) =>
    isEarlier(name) && firstUse(name) + limits.idempotencyMs + ttlSlackMs < now;
  const expired = chosen(all.filter(isExpired), removedAtOnce);
  const valid = all.filter((reservation) => !isExpired(reservation));
  if (valid.length <= reservationsTolerated) return expired.map(({ name }) => name);

  const older = valid.sort((a, b) => b.taken - a.taken).slice(reservationsKept);
  // A request of an earlier release uses its number without recording it. After an hour, it has ended.
  const endable = older.filter(({ name }) => !isEarlier(name) || firstUse(name) + hour < now);
  const some = chosen(endable, Math.min(removedAtOnce - expired.length, Math.ceil(endable.length / 2)));
  const recorded = await table.tryGet(some.map(({ name }) => numberKey(counter, name)));
  if (!recorded) return expired.map(({ name }) => name);
  const isRecorded = await Promise.all(
    some.map(
      async ({ name, taken }, i) => recorded[i] !== undefined || tryRecord(table, counter, { name, taken, now }),
    ),
  );
  return [...expired, ...some.filter((_, i) => isRecorded[i])].map(({ name }) => name);
}

/** Records the number of another request. Returns whether it succeeded; if not, the reservation stays. */
async function tryRecord(
  table: DynamodbTable,
  counter: ItemKey,
  { name, taken, now }: { name: string; taken: number; now: number },
): Promise<boolean> {
  try {
    await recordNumber(table, counter, { reservation: name, taken, now });
    return true;
  } catch (error) {
    if (error instanceof DependencyFailure) return false;
    throw error;
  }
}

/** Returns this many consecutive items, beginning at a random one. */
function chosen<Each>(all: Each[], count: number): Each[] {
  if (all.length === 0) return [];
  const from = randomInt(all.length);
  return [...all.slice(from), ...all.slice(0, from)].slice(0, count);
}
