import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Database } from '../lib/sqlite/database.ts';

/**
 * A table in both files of a data folder with the folder's id, so that the files of two different folders are not used
 * as a pair.
 */
export const folderMigrations: Record<string, Migration> = {
  '001': {
    async up(db) {
      await sql`CREATE TABLE folder (id TEXT NOT NULL) STRICT`.execute(db);
    },
  },
};

/** Gives both files the folder's id if they have none yet, and returns it. */
export function identify(ledger: Database, store: Database): string {
  const idIn = (database: Database) => database.prepare('SELECT id FROM folder').get()?.id as string | undefined;
  const id = idIn(ledger) ?? idIn(store) ?? randomBytes(16).toString('hex');
  // Write to the ledger first. Then a store with an id beside a ledger without one can only mean that the ledger is an
  // older copy.
  for (const database of [ledger, store])
    if (idIn(database) === undefined) database.prepare('INSERT INTO folder (id) VALUES (?)').run(id);
  return id;
}
