import type { Parent } from '../model/keys.ts';

/** An application or chat as it stands after merging; `createdAt` is missing while only an edit of it has arrived. */
export interface MergedParent {
  name: string | null;
  revision: number;
  deleted: boolean;
  createdAt: number | null;
  updatedAt: number;
}

/** A message as it stands after merging, without its text; `created` is false while only an edit of it has arrived. */
export interface MessageVersion {
  number: number;
  revision: number;
  deleted: boolean;
  created: boolean;
}

/** A number that was given and had no row when that was noticed, in milliseconds since 1970. */
export interface MissingNumber {
  number: number;
  noticedAt: number;
  /** Nothing is to be expected under it any more. */
  void: boolean;
}

/** What the count of an application's chats or a chat's messages is, and what it is made from. */
export interface Count {
  count: number;
  /** Rows that are deleted, and void numbers without a row: what is given but does not count. */
  notLive: number;
  /** Whether the next roll-up is going to set it. */
  marked: boolean;
}

/**
 * What the store holds, as far as it is compared with the ledger and the search index, and its notes of numbers that were
 * given and have no row. Numbers are the chats' of an application or, where the parent names a chat, the messages' of it.
 */
export interface Inventory {
  /** Applications that have a row, whatever it says, by token from behind the given one. */
  tokens(limit: number, after?: string): Promise<string[]>;
  mergedApplication(token: string): Promise<MergedParent | undefined>;
  /** The chats `from` to `to`, both inclusive, that have a row. */
  mergedChats(token: string, from: number, to: number): Promise<Map<number, MergedParent>>;
  /**
   * The highest number up to `limits.highestNumber` that has a row, or rows below it, for each parent; 0 where there is
   * none.
   */
  highestNumbers(parents: Parent[]): Promise<number[]>;
  /** The highest number above `limits.highestNumber` that has a row, or rows below it; 0 where there is none. */
  numberOutOfBounds(parent: Parent): Promise<number>;
  /** The messages `from` to `to`, both inclusive, that have a row, by number. */
  messageVersions(token: string, chat: number, from: number, to: number): Promise<MessageVersion[]>;
  /** Undefined where there is no row to keep a count. */
  count(parent: Parent): Promise<Count | undefined>;
  /** Has the next roll-up set the count, whatever it was made from. */
  recount(parent: Parent): Promise<void>;

  /** The notes of the numbers `from` to `to`, both inclusive. */
  missing(parent: Parent, from: number, to: number): Promise<MissingNumber[]>;
  /** Notes that the numbers have no row. */
  noteMissing(parent: Parent, numbers: number[], noticedAt: number): Promise<void>;
  /** Removes the notes of the numbers; void ones stay, for the count that was made from them. */
  forgetMissing(parent: Parent, numbers: number[]): Promise<void>;
  /** Makes noted numbers void, and has them counted anew. A write that comes later all the same is stored as ever. */
  recordVoid(parent: Parent, numbers: number[]): Promise<void>;
}
