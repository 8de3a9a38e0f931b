import type { Revisions } from '../model/content.ts';
import type { ChatKey, Parent } from '../model/keys.ts';
import type { NumberRange } from '../model/ranges.ts';

/** An application or chat after merging; `createdAt` is null while only an edit of it has arrived. */
export interface MergedParent {
  name: string | null;
  /** Null for an application, which has none. */
  metadata: string | null;
  /** The revision of the last write that changed it. */
  revision: number;
  deleted: boolean;
  createdAt: number | null;
  updatedAt: number;
}

/** A message after merging, without its content; `created` is false while only an edit of it has arrived. */
export interface MessageVersion {
  number: number;
  revisions: Revisions;
  deleted: boolean;
  created: boolean;
}

/** An assigned number that was noticed to have no row at `noticedAt`, in milliseconds since 1970. */
export interface MissingNumber {
  number: number;
  noticedAt: number;
  /** Whether no write can arrive for the number any more. */
  void: boolean;
}

/** The count of an application's chats or a chat's messages, and what it is computed from. */
export interface Count {
  count: number;
  /** The number of assigned numbers that do not count: deleted rows, and void numbers without a row. */
  notExisting: number;
  /** Whether the next roll-up will set the count. */
  marked: boolean;
}

/** The version of a chat or of an application's chats, and the highest version of its rows. */
export interface RowVersions {
  version: number;
  highest: number;
}

/**
 * What reconciliation compares with the ledger and the search index, and the notes about missing numbers. Numbers are
 * those of an application's chats or, if the parent is a chat, of its messages.
 */
export interface Inventory {
  /** Returns the tokens of applications that have a row, even a deleted one, in order, after the given one. */
  tokens(limit: number, after?: string): Promise<string[]>;
  mergedApplication(token: string): Promise<MergedParent | undefined>;
  /** Returns the chats of the range that have a row. */
  mergedChats(token: string, range: NumberRange): Promise<Map<number, MergedParent>>;
  /**
   * Returns, for each parent, the highest number up to `limits.highestNumber` that has a row itself or rows below it; 0
   * if there is none.
   */
  highestNumbers(parents: Parent[]): Promise<number[]>;
  /**
   * Returns the highest number above `limits.highestNumber` that has a row itself or rows below it; 0 if there is none.
   */
  numberOutOfBounds(parent: Parent): Promise<number>;
  /** Returns the messages of the range that have a row, by number. */
  messageVersions(chat: ChatKey, range: NumberRange): Promise<MessageVersion[]>;
  /** Returns undefined if the parent has no row. */
  count(parent: Parent): Promise<Count | undefined>;
  /** Returns the version of a chat or of an application's chats. Rows of a higher version are changes that nobody gets. */
  rowVersions(parent: Parent): Promise<RowVersions>;
  /** Raises the version to `version`, unless it is higher already. */
  raiseVersion(parent: Parent, version: number): Promise<void>;
  /** Makes the next roll-up replace the count, whatever it was computed from. */
  recount(parent: Parent): Promise<void>;

  /** Returns the notes about missing numbers in the range. */
  missing(parent: Parent, range: NumberRange): Promise<MissingNumber[]>;
  /** Stores a note that the numbers have no row. */
  noteMissing(parent: Parent, numbers: number[], noticedAt: number): Promise<void>;
  /** Removes the notes about the numbers. Notes about void numbers stay, because counts depend on them. */
  forgetMissing(parent: Parent, numbers: number[]): Promise<void>;
  /**
   * Makes noted numbers void, and marks the parent for the next roll-up. A write that arrives later is still stored.
   */
  recordVoid(parent: Parent, numbers: number[]): Promise<void>;
}
