import { limits } from '../../limits.ts';
import { isNumber } from '../../model/bounds.ts';
import type { Database } from '../../sqlite/database.ts';

/** The low bits of an id are the message's number; the bits above them are the chat's ordinal. */
const numberBits = 32;

/** SQLite's integers have 64 bits. One is the sign, and 32 are the message's number. */
const highestOrdinal = 2 ** 31 - 1;

/** Returns the SQL expression for the message's number in an id. */
export const numberOf = (id: string): string => `${id} & ${limits.highestNumber}`;

/**
 * Returns a message's id in the index. The ids of a chat are one range, in the order of the message numbers.
 *
 * @throws RangeError for a number or an ordinal whose id would be in the range of another chat
 */
export function rowIdOf(ordinal: number, number: number): bigint {
  if (!isNumber(number)) throw new RangeError(`${number} is not a valid message number in the search index`);
  if (!Number.isInteger(ordinal) || ordinal < 0 || ordinal > highestOrdinal)
    throw new RangeError(`${ordinal} is not a valid chat ordinal in the search index`);
  return (BigInt(ordinal) << BigInt(numberBits)) | BigInt(number);
}

/** A chat in the index: its application's ordinal, its number there, and its own ordinal. */
export interface IndexedChat {
  application: number;
  chat: number;
  ordinal: number;
}

/** What a search covers: an application, given by its ordinal, or one of its chats. */
export type Scope = ({ application: number } | IndexedChat) & {
  /**
   * A random number; 0 from before migration 005 until the first new one. A chat gets a new edition with each change,
   * unless the change only adds messages with numbers above all indexed messages of the chat. An application gets one
   * with each new edition of one of its chats. So as long as the edition stays the same, no match disappears; and in a
   * chat, new matches are only in messages with higher numbers than before.
   */
  edition: number;
};

/** The SQL expression for a new edition. A JavaScript number can represent 53 bits. */
export const newEdition = 'random() >> 11';

/** Returns the ordinal of an application; undefined when nothing of it is indexed. */
export const applicationOf = (database: Database, token: string): number | undefined =>
  ordinalOf(database.prepare('SELECT ordinal FROM search_applications WHERE token = ?').get(token));

/** Returns a chat of an application; undefined when nothing of it is indexed. */
export function chatOf(database: Database, application: number, chat: number): IndexedChat | undefined {
  const statement = database.prepare('SELECT ordinal FROM search_chats WHERE application = ? AND chat = ?');
  const ordinal = ordinalOf(statement.get(application, chat));
  return ordinal === undefined ? undefined : { application, chat, ordinal };
}

/** Returns the scope of a search; undefined when nothing in it is indexed. */
export function scopeOf(database: Database, token: string, chat: number | undefined): Scope | undefined {
  const found =
    chat === undefined
      ? database.prepare('SELECT ordinal AS application, edition FROM search_applications WHERE token = ?').get(token)
      : database
          .prepare(
            `SELECT a.ordinal AS application, c.chat, c.ordinal, c.edition FROM search_applications a
             JOIN search_chats c ON c.application = a.ordinal WHERE a.token = ? AND c.chat = ?`,
          )
          .get(token, chat);
  return found as unknown as Scope | undefined;
}

const ordinalOf = (row: Record<string, unknown> | undefined): number | undefined => row && Number(row.ordinal);

/**
 * Returns the SQL condition that an id is in the range of one chat; {@link rangeOf} returns its parameters. The
 * statement must also check the application, as {@link ofChat} does.
 *
 * `BETWEEN` reads the id once for each row. Two comparisons read it twice, which made counting 10,000 matches 6 %
 * slower.
 */
export const inRange = (id: string): string => `${id} BETWEEN ? AND ?`;

/**
 * Returns the SQL condition that an id belongs to one chat; {@link chatValues} returns its parameters. The statement
 * checks once, not for each row, that the chat with this ordinal belongs to the application. The check takes 5 µs.
 */
export const ofChat = (id: string): string =>
  `${inRange(id)} AND EXISTS (SELECT 1 FROM search_chats WHERE ordinal = ? AND application = ? AND chat = ?)`;

/** A range of message numbers. Its bounds may be any numbers, even ones that no message has. */
interface Numbers {
  /** The range begins after this number. */
  after?: number;
  /** The range ends with this number. */
  to?: number;
}

/** Returns the parameters of {@link inRange}. */
export function rangeOf(
  { ordinal }: Pick<IndexedChat, 'ordinal'>,
  { after = 0, to = limits.highestNumber }: Numbers = {},
): [first: bigint, last: bigint] {
  const beginning = BigInt(ordinal) << BigInt(numberBits);
  // FTS5 does not accept a REAL as a bound, and node:sqlite binds a number as REAL.
  return [beginning + BigInt(clamped(after)) + 1n, beginning + BigInt(clamped(to))];
}

/** Returns the parameters of {@link ofChat}. */
export const chatValues = (chat: IndexedChat, numbers?: Numbers): (number | bigint)[] => [
  ...rangeOf(chat, numbers),
  chat.ordinal,
  chat.application,
  chat.chat,
];

const clamped = (number: number): number => Math.min(Math.max(number, 0), limits.highestNumber);
