import type { MessageContent, Revisions } from '../model/content.ts';
import type { MessageKey } from '../model/keys.ts';
import type { Version } from '../model/version.ts';
import type { Write } from '../model/write.ts';

/** A message after merging; `createdAt` is null while only edits of it have arrived. */
export interface MergedMessage extends MessageKey {
  content: MessageContent;
  revisions: Revisions;
  deleted: boolean;
  createdAt: number | null;
  updatedAt: number;
}

/**
 * The database can never store the write, for instance because a text is too long for its column. A retry cannot help.
 */
export class UnstorableWrite extends Error {}

/**
 * What the workers use. Rows are the result of merging accepted writes, in any order and any number of times. For each
 * name and each content member, the highest revision wins. A deletion wins over every revision. Only revision 0 sets
 * `created_at`, and readers do not see rows without it.
 */
export interface Merging {
  /**
   * Merges the writes in one transaction, and marks what must be counted or purged. Raises the version of each chat and
   * application whose messages or chats changed, and stamps the changed rows with it. A write that was merged before
   * changes no row, although it may raise a version.
   *
   * @returns the versions that it made
   * @throws UnstorableWrite when one of them can never be stored; then none is stored
   */
  merge(writes: Write[]): Promise<Version[]>;
  /** Returns the merged rows of the messages that have one. */
  merged(keys: MessageKey[]): Promise<MergedMessage[]>;
  /** Returns up to `limit` messages of all applications, in the order of their keys, after the given key. */
  scan(limit: number, after?: MessageKey): Promise<MergedMessage[]>;
}
