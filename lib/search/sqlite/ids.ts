import { limits } from '../../limits.ts';
import { isNumber } from '../../model/bounds.ts';
import type { Database } from '../../sqlite/database.ts';

/** Bits of an id that hold the message's number; the chat's ordinal stands above them. */
const numberBits = 32;

/** SQLite's integers have 64 bits, one of them the sign, and the number takes half. */
const highestOrdinal = 2 ** 31 - 1;

/** SQL for the message's number in an id. */
export const numberOf = (id: string): string => `${id} & ${limits.highestNumber}`;

/**
 * Returns a message's id in the index: one chat is one range of ids, in order.
 *
 * @throws RangeError for a number or an ordinal whose id would be in the range of another chat
 */
export function documentId(ordinal: number, number: number): bigint {
  if (!isNumber(number)) throw new RangeError(`No message in the search index has the number ${number}`);
  if (!Number.isInteger(ordinal) || ordinal < 0 || ordinal > highestOrdinal)
    throw new RangeError(`No chat in the search index has the ordinal ${ordinal}`);
  return (BigInt(ordinal) << BigInt(numberBits)) | BigInt(number);
}

/** A chat in the index: its application's ordinal, its number there, and its own ordinal. */
export interface ChatPlace {
  application: number;
  chat: number;
  ordinal: number;
}

/** The ordinal of an application; undefined where nothing of it is indexed. */
export const applicationOf = (database: Database, token: string): number | undefined =>
  ordinalOf(database.prepare('SELECT ordinal FROM search_applications WHERE token = ?').get(token));

/** A chat of an application; undefined where nothing of it is indexed. */
export function chatOf(database: Database, application: number, chat: number): ChatPlace | undefined {
  const statement = database.prepare('SELECT ordinal FROM search_chats WHERE application = ? AND chat = ?');
  const ordinal = ordinalOf(statement.get(application, chat));
  return ordinal === undefined ? undefined : { application, chat, ordinal };
}

const ordinalOf = (row: Record<string, unknown> | undefined): number | undefined => row && Number(row.ordinal);

/**
 * The SQL condition that an id is of one chat; {@link chatValues} are its parameters. The range is of the chat's ordinal,
 * and the statement itself checks, once and not for each row, that this is a chat of the application.
 */
export const ofChat = (id: string): string =>
  `${id} > ? AND ${id} <= ? AND EXISTS (SELECT 1 FROM search_chats WHERE ordinal = ? AND application = ? AND chat = ?)`;

/**
 * Returns the parameters of {@link ofChat}.
 *
 * @param numbers.after only higher numbers; any number, even one that no message has
 * @param numbers.to only this number and lower ones; any number likewise
 */
export function chatValues(
  { application, chat, ordinal }: ChatPlace,
  { after = 0, to = limits.highestNumber }: { after?: number; to?: number } = {},
): (number | bigint)[] {
  const beginning = BigInt(ordinal) << BigInt(numberBits);
  // FTS5 takes no REAL for a bound, which is what node:sqlite makes of a number.
  return [beginning + BigInt(clamped(after)), beginning + BigInt(clamped(to)), ordinal, application, chat];
}

const clamped = (number: number): number => Math.min(Math.max(number, 0), limits.highestNumber);
