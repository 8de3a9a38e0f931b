import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The tables of the store in store.db. */
export const storeMigrations: Record<string, Migration> = {
  '001': {
    async up(db) {
      await sql`CREATE TABLE applications (
        token TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        revision INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        created_at INTEGER,
        updated_at INTEGER NOT NULL,
        chats_count INTEGER NOT NULL DEFAULT 0,
        counted INTEGER NOT NULL DEFAULT 0
      ) STRICT, WITHOUT ROWID`.execute(db);
      await sql`CREATE INDEX applications_by_creation ON applications (created_at, token)`.execute(db);
      await sql`CREATE TABLE chats (
        token TEXT NOT NULL,
        number INTEGER NOT NULL,
        name TEXT,
        revision INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        created_at INTEGER,
        updated_at INTEGER NOT NULL,
        messages_count INTEGER NOT NULL DEFAULT 0,
        counted INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (token, number)
      ) STRICT, WITHOUT ROWID`.execute(db);
      await sql`CREATE INDEX chats_deleted ON chats (token) WHERE deleted = 1`.execute(db);
      await sql`CREATE TABLE messages (
        token TEXT NOT NULL,
        chat INTEGER NOT NULL,
        number INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        body TEXT NOT NULL,
        created_at INTEGER,
        updated_at INTEGER NOT NULL,
        PRIMARY KEY (token, chat, number)
      ) STRICT, WITHOUT ROWID`.execute(db);
      await sql`CREATE INDEX messages_deleted ON messages (token, chat) WHERE deleted = 1`.execute(db);
      await sql`CREATE TABLE rollup_marks (
        token TEXT NOT NULL,
        chat INTEGER NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (token, chat)
      ) STRICT, WITHOUT ROWID`.execute(db);
      await sql`CREATE TABLE purges (
        token TEXT NOT NULL,
        chat INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        pass INTEGER NOT NULL,
        PRIMARY KEY (token, chat)
      ) STRICT, WITHOUT ROWID`.execute(db);
    },
  },
  '002': {
    async up(db) {
      await sql`CREATE TABLE missing_numbers (
        token TEXT NOT NULL,
        chat INTEGER NOT NULL,
        number INTEGER NOT NULL,
        noticed_at INTEGER NOT NULL,
        void INTEGER NOT NULL,
        PRIMARY KEY (token, chat, number)
      ) STRICT, WITHOUT ROWID`.execute(db);
    },
  },
  '003': {
    async up(db) {
      await sql`ALTER TABLE chats ADD COLUMN metadata TEXT`.execute(db);
      await sql`ALTER TABLE chats ADD COLUMN metadata_revision INTEGER NOT NULL DEFAULT 0`.execute(db);
      await sql`ALTER TABLE messages ADD COLUMN sender TEXT`.execute(db);
      await sql`ALTER TABLE messages ADD COLUMN metadata TEXT`.execute(db);
      await sql`ALTER TABLE messages ADD COLUMN metadata_revision INTEGER NOT NULL DEFAULT 0`.execute(db);
    },
  },
  '004': {
    // Existing rows get version 1 of their chat or application.
    async up(db) {
      await sql`CREATE TABLE versions (
        token TEXT NOT NULL,
        chat INTEGER NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (token, chat)
      ) STRICT, WITHOUT ROWID`.execute(db);
      await sql`ALTER TABLE chats ADD COLUMN version INTEGER NOT NULL DEFAULT 1`.execute(db);
      await sql`ALTER TABLE messages ADD COLUMN version INTEGER NOT NULL DEFAULT 1`.execute(db);
      // The roll-up counts the deleted rows with these indexes too.
      await sql`CREATE INDEX chats_by_version ON chats (token, deleted, version, number)`.execute(db);
      await sql`CREATE INDEX messages_by_version ON messages (token, chat, deleted, version, number)`.execute(db);
      await sql`DROP INDEX chats_deleted`.execute(db);
      await sql`DROP INDEX messages_deleted`.execute(db);
      await sql`INSERT INTO versions SELECT DISTINCT token, 0, 1 FROM chats`.execute(db);
      await sql`INSERT INTO versions SELECT DISTINCT token, chat, 1 FROM messages`.execute(db);
    },
  },
};
