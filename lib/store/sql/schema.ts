import type { Generated } from 'kysely';
import type { ContentMember, MessageContent, RevisionName } from '../../model/content.ts';

/** The tables, alike in both engines. Times are milliseconds since 1970; `deleted` is 0 or 1. */
export interface Schema {
  applications: {
    token: string;
    name: string;
    revision: number;
    deleted: number;
    created_at: number | null;
    updated_at: number;
    chats_count: Generated<number>;
    /** What the count was made from, as a sum of what only rises; a count of a lower one is older. */
    counted: Generated<number>;
  };
  chats: {
    token: string;
    number: number;
    name: string | null;
    revision: number;
    deleted: number;
    created_at: number | null;
    updated_at: number;
    messages_count: Generated<number>;
    counted: Generated<number>;
  };
  messages: {
    token: string;
    chat: number;
    number: number;
    deleted: number;
    created_at: number | null;
    updated_at: number;
  } & MessageContent & { [Member in ContentMember as RevisionName<Member>]: number };
  /**
   * Numbers that were given and have no row: when that was noticed, and whether they are void by now. Below `chat` 0 stand
   * the numbers of chats.
   */
  missing_numbers: { token: string; chat: number; number: number; noticed_at: number; void: number };
  /** `chat` is 0 for the application itself, here and in `purges`. */
  rollup_marks: { token: string; chat: number; version: number };
  purges: { token: string; chat: number; due_at: number; pass: number };
}

/** Of the numbers given: how many rows are deleted, how many numbers void, and how many of those have a row after all. */
export interface NotLive {
  deleted: number;
  voids: number;
  filled: number;
}

/**
 * How many are live, and what that was made from: a void number whose write came after all must not make it look older.
 * After a restore the ledger may have given fewer numbers than are deleted, until it is reconciled.
 */
export const countOf = (highest: number, { deleted, voids, filled }: NotLive): { live: number; counted: number } => ({
  live: Math.max(0, highest - deleted - (voids - filled)),
  counted: highest + deleted + voids + filled,
});
