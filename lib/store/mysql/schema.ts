import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

// No query compares texts, so binary collations are enough. Tokens are ASCII, which makes the keys short.
const token = sql.raw('token VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL');
const merged = sql.raw(`revision INT UNSIGNED NOT NULL,
  deleted TINYINT UNSIGNED NOT NULL,
  created_at BIGINT UNSIGNED NULL,
  updated_at BIGINT UNSIGNED NOT NULL`);
const table = sql.raw('ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin');

/**
 * The tables in MySQL 8.0.15 to 8.4 and MariaDB 10.11+. Times are milliseconds since 1970. A migration does not run in
 * a transaction here. One that failed half-way runs again from its start, so every statement must be repeatable.
 */
export const mysqlMigrations: Record<string, Migration> = {
  '001': {
    async up(db) {
      await sql`CREATE TABLE IF NOT EXISTS applications (
        ${token},
        name VARCHAR(255) NOT NULL,
        ${merged},
        chats_count BIGINT UNSIGNED NOT NULL DEFAULT 0,
        counted BIGINT UNSIGNED NOT NULL DEFAULT 0,
        PRIMARY KEY (token),
        KEY applications_by_creation (created_at, token)
      ) ${table}`.execute(db);
      await sql`CREATE TABLE IF NOT EXISTS chats (
        ${token},
        number BIGINT UNSIGNED NOT NULL,
        name VARCHAR(255) NULL,
        ${merged},
        messages_count BIGINT UNSIGNED NOT NULL DEFAULT 0,
        counted BIGINT UNSIGNED NOT NULL DEFAULT 0,
        PRIMARY KEY (token, number),
        KEY chats_deleted (token, deleted)
      ) ${table}`.execute(db);
      await sql`CREATE TABLE IF NOT EXISTS messages (
        ${token},
        chat BIGINT UNSIGNED NOT NULL,
        number BIGINT UNSIGNED NOT NULL,
        body TEXT NOT NULL,
        ${merged},
        PRIMARY KEY (token, chat, number),
        KEY messages_deleted (token, chat, deleted)
      ) ${table}`.execute(db);
      await sql`CREATE TABLE IF NOT EXISTS rollup_marks (
        ${token},
        chat BIGINT UNSIGNED NOT NULL,
        version BIGINT UNSIGNED NOT NULL,
        PRIMARY KEY (token, chat)
      ) ${table}`.execute(db);
      await sql`CREATE TABLE IF NOT EXISTS purges (
        ${token},
        chat BIGINT UNSIGNED NOT NULL,
        due_at BIGINT UNSIGNED NOT NULL,
        pass TINYINT UNSIGNED NOT NULL,
        PRIMARY KEY (token, chat),
        KEY purges_by_time (due_at)
      ) ${table}`.execute(db);
    },
  },
  '002': {
    async up(db) {
      await sql`CREATE TABLE IF NOT EXISTS missing_numbers (
        ${token},
        chat BIGINT UNSIGNED NOT NULL,
        number BIGINT UNSIGNED NOT NULL,
        noticed_at BIGINT UNSIGNED NOT NULL,
        void TINYINT UNSIGNED NOT NULL,
        PRIMARY KEY (token, chat, number)
      ) ${table}`.execute(db);
    },
  },
  '003': {
    // Adding a column at the end changes no row (ALGORITHM = INSTANT), so writers do not wait for it.
    async up(db) {
      await addColumns(db, 'chats', { metadata: 'TEXT NULL', metadata_revision: 'INT UNSIGNED NOT NULL DEFAULT 0' });
      await addColumns(db, 'messages', {
        sender: 'VARCHAR(255) NULL',
        metadata: 'TEXT NULL',
        metadata_revision: 'INT UNSIGNED NOT NULL DEFAULT 0',
      });
    },
  },
  '004': {
    // Existing rows get version 1 of their chat or application. Writers do not wait for the indexes either.
    async up(db) {
      await sql`CREATE TABLE IF NOT EXISTS versions (
        ${token},
        chat BIGINT UNSIGNED NOT NULL,
        version BIGINT UNSIGNED NOT NULL,
        PRIMARY KEY (token, chat)
      ) ${table}`.execute(db);
      for (const name of ['chats', 'messages'])
        await addColumns(db, name, { version: 'BIGINT UNSIGNED NOT NULL DEFAULT 1' });
      // The roll-up counts deleted rows with the new indexes, in this release and in earlier ones. So they replace the
      // old ones: with both, storing would be a sixth slower.
      await replaceIndex(db, 'chats', {
        old: 'chats_deleted',
        new: 'chats_by_version (token, deleted, version, number)',
      });
      await replaceIndex(db, 'messages', {
        old: 'messages_deleted',
        new: 'messages_by_version (token, chat, deleted, version, number)',
      });
      await sql`INSERT IGNORE INTO versions SELECT DISTINCT token, 0, 1 FROM chats`.execute(db);
      await sql`INSERT IGNORE INTO versions SELECT DISTINCT token, chat, 1 FROM messages`.execute(db);
    },
  },
};

/** Adds the columns that the table does not have. MySQL has no `ADD COLUMN IF NOT EXISTS`. */
async function addColumns(db: Kysely<unknown>, table: string, columns: Record<string, string>): Promise<void> {
  const tables = await db.introspection.getTables();
  const known = tables.find(({ name }) => name === table)?.columns.map(({ name }) => name) ?? [];
  const missing = Object.entries(columns).filter(([name]) => !known.includes(name));
  if (missing.length === 0) return;
  const added = missing.map(([name, definition]) => sql`ADD COLUMN ${sql.ref(name)} ${sql.raw(definition)}`);
  await sql`ALTER TABLE ${sql.table(table)} ${sql.join(added)}, ALGORITHM = INSTANT`.execute(db);
}

/** Adds an index, and then removes the one that it replaces. Writes go on meanwhile. */
async function replaceIndex(
  db: Kysely<unknown>,
  table: string,
  { old, new: added }: { old: string; new: string },
): Promise<void> {
  const { rows } = await sql<{ name: string }>`SELECT DISTINCT index_name AS name FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = ${table}`.execute(db);
  const has = (name: string) => rows.some((row) => row.name === name);
  const alter = (change: string) =>
    sql`ALTER TABLE ${sql.table(table)} ${sql.raw(change)}, ALGORITHM = INPLACE, LOCK = NONE`.execute(db);
  if (!has(added.slice(0, added.indexOf(' ')))) await alter(`ADD INDEX ${added}`);
  if (has(old)) await alter(`DROP INDEX ${old}`);
}
