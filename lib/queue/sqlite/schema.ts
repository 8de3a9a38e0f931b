import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The tables of the queues in ledger.db. */
export const queueMigrations: Record<string, Migration> = {
  '001': {
    async up(db) {
      await sql`CREATE TABLE queue_messages (
        id INTEGER PRIMARY KEY,
        queue TEXT NOT NULL,
        visible_at INTEGER NOT NULL,
        receives INTEGER NOT NULL DEFAULT 0,
        body TEXT NOT NULL
      ) STRICT`.execute(db);
      await sql`CREATE INDEX queue_messages_by_time ON queue_messages (queue, visible_at, id)`.execute(db);
      await sql`CREATE TABLE dead_letters (
        id INTEGER PRIMARY KEY,
        queue TEXT NOT NULL,
        body TEXT NOT NULL,
        reason TEXT NOT NULL
      ) STRICT`.execute(db);
    },
  },
  '002': {
    async up(db) {
      // NULL in dead letters of earlier versions.
      await sql`ALTER TABLE dead_letters ADD COLUMN at INTEGER`.execute(db);
    },
  },
};
