import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { Schema } from '../sql/schema.ts';
import { mysqlMigrations } from './schema.ts';

/** The table in which kysely's migrator stores the names of the migrations that are done. */
const doneTable = 'kysely_migration';

/**
 * Brings the tables up to date. Concurrent calls wait for each other, and a migration that failed half-way runs again.
 * Tables that a newer version has migrated are left as they are: migrations remove no table and no column, so this
 * version works with them, as it must while a deployment is rolled back.
 *
 * @param db opened with the time limits of migrations
 * @throws Error when another version has migrated the database and this version has migrations that the other does not
 *   have
 */
export async function migrateMysql(
  db: Kysely<Schema>,
  migrations: Record<string, Migration> = mysqlMigrations,
): Promise<void> {
  const done = await doneMigrations(db);
  const unknown = done.filter((name) => !Object.hasOwn(migrations, name));
  const pending = Object.keys(migrations).filter((name) => !done.includes(name));
  if (unknown.length > 0 && pending.length > 0)
    throw new Error(
      `The database was migrated by another version of chat-system (${unknown.join(', ')}), without ${pending.join(', ')}; deploy a version that has all of them.`,
    );
  if (unknown.length > 0) return;
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateToLatest();
  if (error) throw error;
}

/** Returns the names of the migrations that are done. */
async function doneMigrations(db: Kysely<Schema>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === doneTable)) return [];
  const rows = await db.withTables<{ [doneTable]: { name: string } }>().selectFrom(doneTable).select('name').execute();
  return rows.map(({ name }) => name);
}
