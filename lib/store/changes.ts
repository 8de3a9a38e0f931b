import type { ChatKey, Parent } from '../model/keys.ts';
import type { Version } from '../model/version.ts';
import type { StoredChat, StoredMessage } from './reads.ts';

/**
 * A message or chat that changed, as it is now. `version` is the one that changed it last, so earlier changes of the
 * same message are not listed. `created` means that it was never edited.
 */
export type Change<Stored> = { version: number; number: number } & (
  | { type: 'created' | 'edited'; stored: Stored }
  | { type: 'deleted' }
);

/** A chat without its count of messages, because a new count does not change the chat's version. */
export type ChatState = Omit<StoredChat, 'messagesCount'>;

/**
 * The part of a list of changes that a page may contain. Changes are in the order of their version, then their number.
 */
export interface ChangesRange {
  /** The page begins after this version or, with `number`, after this change of it. */
  after: { version: number; number?: number };
  /** The last version of the page. */
  upTo: number;
  limit: number;
}

/** One page of changes. */
export interface ChangesPage<Stored> {
  changes: Change<Stored>[];
  /** The version of the change that follows the page; undefined if the range ends with the page. */
  next: number | undefined;
}

/** A version with the rows that it changed, except rows that a later version changed again. */
export type Step = { token: string; version: number } & (
  | { chat: number; changes: Change<StoredMessage>[] }
  | { chat?: never; changes: Change<ChatState>[] }
);

/**
 * What changed since a version.
 *
 * A version can be read only when all versions before it can be read too. Read the version first and then the changes
 * up to it: what changes in between has a later version, and is found by the next read.
 */
export interface Changes {
  /** Returns the current version of a chat or, without `chat`, of an application's chats; 0 before the first change. */
  version(parent: Parent): Promise<number>;
  /**
   * Returns messages that changed, including deleted ones. The page may end before `limit`, once its texts exceed
   * `limits.pageBytes`.
   */
  messageChanges(chat: ChatKey, range: ChangesRange): Promise<ChangesPage<StoredMessage>>;
  /** Returns chats that changed, including deleted ones. */
  chatChanges(token: string, range: ChangesRange): Promise<ChangesPage<ChatState>>;
  /**
   * Returns a step for each version, in the same order. Call it directly after `merge` returned the versions, because a
   * later merge may move rows to a later version. When the texts of a step exceed `limits.stepBytes`, it may lack the
   * rest of its messages, because followers get such a version without its changes.
   */
  steps(versions: Version[]): Promise<Step[]>;
}
