import { limits } from '../limits.ts';
import { isValidNumber } from './valid-numbers.ts';

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
  if (!isValidNumber(number)) throw new RangeError(`No message in the search index has the number ${number}`);
  if (!Number.isInteger(ordinal) || ordinal < 0 || ordinal > highestOrdinal)
    throw new RangeError(`No chat in the search index has the ordinal ${ordinal}`);
  return (BigInt(ordinal) << BigInt(numberBits)) | BigInt(number);
}

/** A chat of the application that has this ordinal. */
export interface ChatPlace {
  application: number;
  chat: number;
}

// node:sqlite binds numbers as REAL, and FTS5 takes only an INTEGER for a bound to begin or end at.
const bound = `(SELECT (ordinal << ${numberBits}) + CAST(? AS INTEGER) FROM search_chats WHERE application = ? AND chat = ?)`;

/**
 * The SQL condition that an id is of one chat. The statement itself finds the chat by its application, so the range
 * cannot be another application's, whatever the values are. {@link chatValues} are its parameters.
 */
export const ofChat = (id: string): string => `${id} > ${bound} AND ${id} <= ${bound}`;

/**
 * Returns the parameters of {@link ofChat}.
 *
 * @param numbers.after only higher numbers; any number, even one that no message has
 * @param numbers.to only this number and lower ones; any number likewise
 */
export function chatValues(
  { application, chat }: ChatPlace,
  { after = 0, to = limits.highestNumber }: { after?: number; to?: number } = {},
): number[] {
  return [clamped(after), application, chat, clamped(to), application, chat];
}

const clamped = (number: number): number => Math.min(Math.max(number, 0), limits.highestNumber);
