import type { Revisions } from '../model/content.ts';
import type { ChatKey, Parent } from '../model/keys.ts';
import type { NumberRange } from '../model/ranges.ts';

/** An application or chat as it stands after merging; `createdAt` is null while only an edit of it has arrived. */
export interface MergedParent {
  name: string | null;
  revision: number;
  deleted: boolean;
  createdAt: number | null;
  updatedAt: number;
}

/** A message as it stands after merging, without its content; `created` is false while only an edit of it has arrived. */
export interface MessageVersion {
  number: number;
  revisions: Revisions;
  deleted: boolean;
  created: boolean;
}

/** A number that was given and had no row when that was noticed, in milliseconds since 1970. */
export interface MissingNumber {
  number: number;
  noticedAt: number;
  /** No write can arrive for it any more. */
  void: boolean;
}

/** The count of an application's chats or a chat's messages, and what it is made from. */
export interface Count {
  count: number;
  /** Deleted rows, and void numbers without a row: numbers that were given but do not count. */
  notLive: number;
  /** Whether the next roll-up is going to set it. */
  marked: boolean;
}

/**
 * What is compared with the ledger and the search index, and the notes of numbers that were given and have no row.
 * Numbers are those of an application's chats or, where the parent names a chat, of its messages.
 */
export interface Inventory {
  /** Returns the tokens of applications that have a row, even a deleted one, in order, after the given one. */
  tokens(limit: number, after?: string): Promise<string[]>;
  mergedApplication(token: string): Promise<MergedParent | undefined>;
  /** Returns the chats of the range that have a row. */
  mergedChats(token: string, range: NumberRange): Promise<Map<number, MergedParent>>;
  /**
   * Returns for each parent the highest number up to `limits.highestNumber` that has a row, or rows below it; 0 where
   * there is none.
   */
  highestNumbers(parents: Parent[]): Promise<number[]>;
  /** Returns the highest number above `limits.highestNumber` that has a row, or rows below it; 0 where there is none. */
  numberOutOfBounds(parent: Parent): Promise<number>;
  /** Returns the messages of the range that have a row, by number. */
  messageVersions(chat: ChatKey, range: NumberRange): Promise<MessageVersion[]>;
  /** Returns undefined where there is no row to keep a count. */
  count(parent: Parent): Promise<Count | undefined>;
  /** Makes the next roll-up set the count, whatever it was made from. */
  recount(parent: Parent): Promise<void>;

  /** Returns the notes of the numbers of the range. */
  missing(parent: Parent, range: NumberRange): Promise<MissingNumber[]>;
  /** Notes that the numbers have no row. */
  noteMissing(parent: Parent, numbers: number[], noticedAt: number): Promise<void>;
  /** Removes the notes of the numbers. Void ones stay, for the count that was made from them. */
  forgetMissing(parent: Parent, numbers: number[]): Promise<void>;
  /** Makes noted numbers void, and marks their count. A write that arrives later is stored as usual. */
  recordVoid(parent: Parent, numbers: number[]): Promise<void>;
}
