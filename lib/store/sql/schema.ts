import type { Generated } from 'kysely';
import type { ContentMember, MessageContent, RevisionName } from '../../model/content.ts';

/** The tables, which are the same in both engines. Times are milliseconds since 1970; `deleted` is 0 or 1. */
export interface Schema {
  applications: {
    token: string;
    name: string;
    revision: number;
    deleted: number;
    created_at: number | null;
    updated_at: number;
    chats_count: Generated<number>;
    /**
     * How recent the count is: the `counted` of {@link countOf}. It rises with every change, so a count with a lower
     * value is older. `recount` resets it to 0.
     */
    counted: Generated<number>;
  };
  chats: {
    token: string;
    number: number;
    name: string | null;
    metadata: string | null;
    revision: number;
    metadata_revision: Generated<number>;
    deleted: number;
    created_at: number | null;
    updated_at: number;
    messages_count: Generated<number>;
    counted: Generated<number>;
    /** The version of the application's chats that changed the row last. */
    version: number;
  };
  messages: {
    token: string;
    chat: number;
    number: number;
    deleted: number;
    created_at: number | null;
    updated_at: number;
    /** The version of the chat that changed the row last. */
    version: number;
  } & MessageContent & { [Member in ContentMember as RevisionName<Member>]: number };
  /**
   * Assigned numbers that have no row: when that was noticed, and whether they are void. The numbers of chats have
   * `chat` 0.
   */
  missing_numbers: { token: string; chat: number; number: number; noticed_at: number; void: number };
  /** The current versions of chats, and of the chats of applications. There is no row before the first version. */
  versions: { token: string; chat: number; version: number };
  /**
   * `chat` is 0 for the application itself, here, in `versions` and in `purges`. The column `version` has `Mark.tag`; it
   * is not one of the versions above.
   */
  rollup_marks: { token: string; chat: number; version: number };
  purges: { token: string; chat: number; due_at: number; pass: number };
}

/** How many of the assigned numbers below an application or chat do not exist, and why. */
export interface NotExisting {
  /** How many have a deleted row. */
  deleted: number;
  /** How many are void. */
  voids: number;
  /** How many of the void numbers have a row nevertheless. */
  filled: number;
}

/**
 * Returns how many numbers exist, and `counted`, which tells how recent that count is. `counted` is a sum of numbers
 * that only rise. It includes `filled`, because a late write to a void number changes the count. `existing` is never
 * negative, although a restored ledger may have a counter below the number of deleted rows until it is reconciled.
 */
export const countOf = (
  highest: number,
  { deleted, voids, filled }: NotExisting,
): { existing: number; counted: number } => ({
  existing: Math.max(0, highest - deleted - (voids - filled)),
  counted: highest + deleted + voids + filled,
});
