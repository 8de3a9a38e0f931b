import type { MessageKey } from '../queue/records.ts';
import type { LedgerEntry, Parent } from './ledger.ts';

/** An application or chat as the ledger keeps it, deleted or not. */
export interface WholeEntry extends Parent, LedgerEntry<string | null> {
  /** That of its last edit; 0 without one. */
  revision: number;
  deleted: boolean;
  /** The highest number given to its chats or messages. */
  highest: number;
}

/** A message that was edited or deleted, as the ledger keeps it. */
export interface ChangedMessage extends MessageKey {
  revision: number;
  deleted: boolean;
}

/** What the ledger holds, to be compared with the store, and how it gets back what it lost. */
export interface Restorable {
  /** The tokens of all applications, deleted ones too, in no order; reads the whole ledger, piece by piece. */
  tokens(): AsyncIterable<string>;
  /**
   * The entries as they stand, in the order asked for; undefined for what is not there. Values may be out of bounds, or NaN
   * where the ledger holds no number: earlier versions of import did not check them.
   */
  entries(parents: Parent[]): Promise<(WholeEntry | undefined)[]>;
  /** The same of messages; undefined for those that were neither edited nor deleted. */
  changedMessages(keys: MessageKey[]): Promise<(ChangedMessage | undefined)[]>;

  /** The numbers of a chat's messages that were deleted, up to `limit` at a time and in no order. */
  deletedMessages(chat: { token: string; chat: number }, limit: number): AsyncIterable<number[]>;

  /**
   * Puts the entry where it is missing. One that is there gets what is ahead of it: its counter is raised to `highest`, a
   * higher revision brings its name, a deletion ends it; nothing ever goes back. Safe to repeat, also after an unknown
   * outcome; nothing is sent.
   *
   * @throws RangeError when a number, counter, revision or time is out of bounds; see lib/model/bounds.ts
   */
  restore(entry: WholeEntry): Promise<void>;
  /**
   * The same for a message that was edited or deleted. Its chat need not be there.
   *
   * @throws RangeError
   */
  restoreMessage(message: ChangedMessage): Promise<void>;
}
