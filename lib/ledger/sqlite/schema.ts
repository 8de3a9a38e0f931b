import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The ledger's tables in ledger.db. */
export const ledgerMigrations: Record<string, Migration> = {
  '001': {
    async up(db) {
      // `chats` and `messages` count the assigned numbers; they only rise.
      await sql`CREATE TABLE applications (
        token TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        revision INTEGER NOT NULL DEFAULT 0,
        chats INTEGER NOT NULL DEFAULT 0,
        deleted INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID`.execute(db);
      await sql`CREATE TABLE chats (
        token TEXT NOT NULL,
        number INTEGER NOT NULL,
        name TEXT,
        revision INTEGER NOT NULL DEFAULT 0,
        messages INTEGER NOT NULL DEFAULT 0,
        deleted INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        PRIMARY KEY (token, number)
      ) STRICT, WITHOUT ROWID`.execute(db);
      // A message has a row only once it is edited or deleted.
      await sql`CREATE TABLE changed_messages (
        token TEXT NOT NULL,
        chat INTEGER NOT NULL,
        number INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        PRIMARY KEY (token, chat, number)
      ) STRICT, WITHOUT ROWID`.execute(db);
      await sql`CREATE TABLE idempotency_keys (
        id TEXT PRIMARY KEY,
        payload TEXT NOT NULL,
        result TEXT NOT NULL,
        expires_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID`.execute(db);
      await sql`CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at)`.execute(db);
    },
  },
  '002': {
    async up(db) {
      await sql`ALTER TABLE chats ADD COLUMN metadata TEXT`.execute(db);
    },
  },
  '003': {
    async up(db) {
      await sql`ALTER TABLE applications ADD COLUMN access_generation INTEGER NOT NULL DEFAULT 0`.execute(db);
    },
  },
};
