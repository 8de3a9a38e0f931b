import type { MessageContent, Revisions } from '../model/content.ts';
import type { MessageKey } from '../model/keys.ts';
import type { Write } from '../model/write.ts';

/** A message as it stands after merging; `createdAt` is null while only edits of it have arrived. */
export interface MergedMessage extends MessageKey {
  content: MessageContent;
  revisions: Revisions;
  deleted: boolean;
  createdAt: number | null;
  updatedAt: number;
}

/** A write that the database will never take, such as a text too large for its column: not to be tried again. */
export class UnstorableWrite extends Error {}

/**
 * What the workers do. Rows come from merging accepted writes, in any order and any number of times: of each name and
 * each member of a content the higher revision wins, deleted beats every revision, and only revision 0 brings
 * `created_at`, without which a row is hidden.
 */
export interface Merging {
  /**
   * Merges the writes in one transaction, and marks what must be counted or purged.
   * @throws UnstorableWrite when one of them can never be stored; then none is
   */
  merge(writes: Write[]): Promise<void>;
  /** Returns the merged rows of the messages that have one. */
  merged(keys: MessageKey[]): Promise<MergedMessage[]>;
  /** Returns up to `limit` messages of all applications as they stand, by key, after the given one. */
  scan(limit: number, after?: MessageKey): Promise<MergedMessage[]>;
}
