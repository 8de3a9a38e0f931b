import type { MessageContent } from '../model/content.ts';
import type { ChatKey } from '../model/keys.ts';
import type { NumberRange } from '../model/ranges.ts';

/** Times are in milliseconds since 1970. */
interface Times {
  createdAt: number;
  updatedAt: number;
}
export interface StoredApplication extends Times {
  token: string;
  name: string;
  chatsCount: number;
}
export interface StoredChat extends Times {
  number: number;
  name: string | null;
  metadata: string | null;
  messagesCount: number;
}
export interface StoredMessage extends Times {
  number: number;
  content: MessageContent;
}

/** The result of a look-up: the thing itself, `deleted`, or `unknown` if the store does not have it (yet). */
export type Found<Thing> = Thing | 'deleted' | 'unknown';

/** The part of a list of numbers that a page may contain; both ends are exclusive. */
export interface ListRange {
  after?: number | undefined;
  before?: number | undefined;
  order: 'asc' | 'desc';
  limit: number;
}

/** One page of a list. `more` tells whether the list continues. */
export interface Rows<Row> {
  rows: Row[];
  more: boolean;
}

/** What the API reads from the store. Lists contain only what was created and not deleted. */
export interface Reads {
  application(token: string): Promise<Found<StoredApplication>>;
  /** Returns 'deleted' also when the chat's application is deleted. */
  chat(token: string, chat: number): Promise<Found<StoredChat>>;
  /** Returns 'void' when no write can arrive for this number any more. */
  message(token: string, chat: number, number: number): Promise<Found<StoredMessage> | 'void'>;
  /**
   * Returns a message whose chat and application are stored and not deleted, with one query; undefined for any other
   * message.
   */
  existingMessage(token: string, chat: number, number: number): Promise<StoredMessage | undefined>;

  /** Returns applications in the order of their creation, after the given position. */
  applications(page: {
    after?: { createdAt: number; token: string } | undefined;
    order: 'asc' | 'desc';
    limit: number;
  }): Promise<Rows<StoredApplication>>;
  /** @param range.only the numbers of the chats to list; all if undefined */
  chats(token: string, range: ListRange & { only?: readonly number[] }): Promise<Rows<StoredChat>>;
  /** The page may end before `limit`, once its texts exceed `limits.pageBytes`. */
  messages(token: string, chat: number, range: ListRange): Promise<Rows<StoredMessage>>;
  /**
   * Like `messages`, but the page is empty unless the chat and its application are stored and not deleted. Checking
   * that takes no additional query.
   */
  existingMessages(token: string, chat: number, range: ListRange): Promise<Rows<StoredMessage>>;
  /**
   * Returns the numbers, from `from` towards `to`, that have neither an existing nor a deleted row and are not void.
   *
   * @param numbers both ends are inclusive; `from` is the higher one for a descending list
   * @param options.max at most this many
   * @param options.listed the numbers of a list that was read before. An existing number that is not in the list counts as
   *   missing, because it was stored after the list was read
   */
  missingNumbers(numbers: ChatKey & NumberRange, options: { max: number; listed?: number[] }): Promise<number[]>;
  /** Returns those of the application's chats that are not deleted. */
  existingChats(token: string, chats: number[]): Promise<Set<number>>;
}
