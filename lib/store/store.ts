import type { MessageKey, Parent } from '../model/keys.ts';
import type { Write } from '../model/write.ts';
import type { Inventory } from './inventory.ts';

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
  messagesCount: number;
}
export interface StoredMessage extends Times {
  number: number;
  body: string;
}

/** What a look-up found: the thing itself, that it is deleted, or that the store has not heard of it (yet). */
export type Found<Thing> = Thing | 'deleted' | 'unknown';

/** A stretch of a list by number, both ends exclusive. */
export interface Range {
  after?: number | undefined;
  before?: number | undefined;
  order: 'asc' | 'desc';
  limit: number;
}

/** One page of a list; `more` says that the list goes on. */
export interface Rows<Row> {
  rows: Row[];
  more: boolean;
}

/** A message as it stands after merging; `createdAt` is missing while only an edit of it has arrived. */
export interface MergedMessage extends MessageKey {
  revision: number;
  deleted: boolean;
  body: string;
  createdAt: number | null;
  updatedAt: number;
}

/** An application or chat whose counts may have changed; `version` differs with every change. */
export interface Mark extends Parent {
  version: number;
}

/** Something deleted whose rows and documents are to be removed; `pass` says for which time. */
export interface Purge extends Parent {
  pass: number;
}

/** A write that the database will never take, such as a text too large for its column: not to be tried again. */
export class UnstorableWrite extends Error {}

/**
 * The SQL database behind the reads. Its rows come from merging accepted writes, in any order and any number of times:
 * the higher revision wins, deleted beats every revision, and only revision 0 brings `created_at`, without which a row
 * is hidden.
 */
export interface Store extends Inventory {
  /**
   * Merges the writes in one transaction, and marks what must be counted or purged.
   * @throws UnstorableWrite when one of them can never be stored; then none is
   */
  merge(writes: Write[]): Promise<void>;

  application(token: string): Promise<Found<StoredApplication>>;
  /** Deleted also when its application is. */
  chat(token: string, chat: number): Promise<Found<StoredChat>>;
  /** Void when nothing is to be expected under this number any more. */
  message(token: string, chat: number, number: number): Promise<Found<StoredMessage> | 'void'>;

  /** Live applications by creation, from behind the given place. */
  applications(page: {
    after?: { createdAt: number; token: string } | undefined;
    order: 'asc' | 'desc';
    limit: number;
  }): Promise<Rows<StoredApplication>>;
  chats(token: string, range: Range): Promise<Rows<StoredChat>>;
  /** May end before `limit` once the bodies exceed `limits.pageBytes`. */
  messages(token: string, chat: number, range: Range): Promise<Rows<StoredMessage>>;
  /**
   * The numbers from `from` to `to`, both inclusive and in this direction, that have no live or deleted row yet and are
   * not void; at most `max` of them. With `listed`, a live one that is not among them is missing too: it was stored after
   * the list had been read.
   */
  missingNumbers(
    token: string,
    chat: number,
    from: number,
    to: number,
    max: number,
    listed?: number[],
  ): Promise<number[]>;
  /** Which of the application's chats are not deleted. */
  liveChats(token: string, chats: number[]): Promise<Set<number>>;

  /** The merged rows of the messages that have one. */
  merged(keys: MessageKey[]): Promise<MergedMessage[]>;

  /** Up to `limit` messages of all applications as they stand, by key, from behind the given one. */
  scan(limit: number, after?: MessageKey): Promise<MergedMessage[]>;

  /** Marks in a fixed order, from behind the given one. */
  marks(limit: number, after?: Parent): Promise<Mark[]>;
  /**
   * Sets each count to the highest number given, less what is deleted or void, and clears the marks that have not changed
   * since. A count made from an older number never replaces a newer one. Without a number only the mark is cleared.
   *
   * @param highestNumbers one for each mark
   */
  setCounts(marks: Mark[], highestNumbers: (number | undefined)[]): Promise<void>;

  /**
   * What is due to be purged at `now`: everything that was not purged yet, and what `endPurge` set to a time up to now.
   */
  purges(now: number): Promise<Purge[]>;
  /** Removes up to `limit` rows below something deleted; answers how many. */
  purgeRows(deleted: Parent, limit: number): Promise<number>;
  /** Ends this pass of a purge; with `againAt` it is due once more then. */
  endPurge(purge: Purge, againAt?: number): Promise<void>;
}
