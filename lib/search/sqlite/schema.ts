import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { foldVersion } from '../text/fold-table.ts';

/** The migrations of the search index in store.db. */
export const searchMigrations: Record<string, Migration> = {
  '001': {
    async up(db) {
      await sql`CREATE TABLE search_applications (ordinal INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE) STRICT`.execute(
        db,
      );
      await sql`CREATE TABLE search_chats (
        ordinal INTEGER PRIMARY KEY,
        application INTEGER NOT NULL,
        chat INTEGER NOT NULL,
        UNIQUE (application, chat)
      ) STRICT`.execute(db);
      // The id combines the chat's ordinal and the message's number, so the ids of a chat are one range, in order.
      await sql`CREATE TABLE search_documents (
        id INTEGER PRIMARY KEY,
        application INTEGER NOT NULL,
        chat INTEGER NOT NULL,
        version INTEGER NOT NULL,
        body TEXT,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
      ) STRICT`.execute(db);
      await sql`CREATE INDEX search_documents_by_time ON search_documents (application, created_at, chat, id)
        WHERE body IS NOT NULL`.execute(db);
      // For queries of at least three code points: a phrase of their consecutive trigrams matches exactly the texts
      // that contain them.
      await sql`CREATE VIRTUAL TABLE search_trigrams USING fts5 (
        application, body, content='', contentless_delete=1, tokenize='trigram case_sensitive 1'
      )`.execute(db);
      // For queries of one or two code points: the set of single code points and pairs, spelled in ASCII.
      await sql`CREATE VIRTUAL TABLE search_grams USING fts5 (
        grams, content='', contentless_delete=1, detail=none, tokenize='ascii'
      )`.execute(db);
      // FTS5 rewrites a segment of its index once this percentage of it is deleted. At the default of 10, purging
      // 100,000 documents took 13.8 s with pauses of 0.9 s; at 50 it takes 2 s with pauses of 0.3 s.
      for (const table of ['search_trigrams', 'search_grams'])
        await sql`INSERT INTO ${sql.table(table)} (${sql.ref(table)}, rank) VALUES ('deletemerge', 50)`.execute(db);
      await sql`CREATE TABLE search_fold (version TEXT NOT NULL) STRICT`.execute(db);
      await sql`INSERT INTO search_fold (version) VALUES (${foldVersion})`.execute(db);
    },
  },
  '002': {
    async up(db) {
      // Has a row while the index is being rebuilt: the last message that was copied.
      await sql`CREATE TABLE search_rebuild (
        token TEXT NOT NULL,
        chat INTEGER NOT NULL,
        number INTEGER NOT NULL,
        copied INTEGER NOT NULL
      ) STRICT`.execute(db);
    },
  },
  '003': {
    async up(db) {
      // FTS5 merges segments of the same size once there are `automerge` of them. At the default of 4, indexing 300,000
      // messages took 41 µs of CPU time each; at 16 it takes 29 µs. A search for a common trigram takes 0.5 ms instead of
      // 0.3 ms. At `crisismerge` segments, FTS5 merges them all at once, which takes seconds in a large index, so that
      // limit is raised too.
      for (const table of ['search_trigrams', 'search_grams']) {
        await sql`INSERT INTO ${sql.table(table)} (${sql.ref(table)}, rank) VALUES ('automerge', 16)`.execute(db);
        await sql`INSERT INTO ${sql.table(table)} (${sql.ref(table)}, rank) VALUES ('crisismerge', 64)`.execute(db);
      }
    },
  },
  '004': {
    async up(db) {
      await sql`ALTER TABLE search_documents ADD COLUMN sender TEXT`.execute(db);
      await sql`ALTER TABLE search_documents ADD COLUMN metadata TEXT`.execute(db);
      await sql`ALTER TABLE search_documents ADD COLUMN metadata_revision INTEGER NOT NULL DEFAULT 0`.execute(db);
    },
  },
  '005': {
    async up(db) {
      // See Scope in ids.ts.
      await sql`ALTER TABLE search_applications ADD COLUMN edition INTEGER NOT NULL DEFAULT 0`.execute(db);
      await sql`ALTER TABLE search_chats ADD COLUMN edition INTEGER NOT NULL DEFAULT 0`.execute(db);
      // A page of FTS5's lists had up to 4,050 bytes, and filled a page of SQLite. Now four (grams) or two (trigrams) fit.
      // To find the newest match, FTS5 reads the whole last page of a list in each of about 20 segments: up to 4,000
      // matches of one byte each. In a chat of 100,000 messages, finding the newest 20 matches for `e` took 280 µs and
      // takes 110 µs, for `the` 105 µs and 80 µs. Indexing takes about 1 µs more for each message.
      await sql`INSERT INTO search_grams (search_grams, rank) VALUES ('pgsz', 1000)`.execute(db);
      await sql`INSERT INTO search_trigrams (search_trigrams, rank) VALUES ('pgsz', 2000)`.execute(db);
    },
  },
};
