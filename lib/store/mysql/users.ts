import { type Kysely, sql } from 'kysely';
import type { Schema } from '../sql/schema.ts';

/** A user of the SQL server. */
export interface MysqlUser {
  user: string;
  password: string;
}

/** The users of the functions that may not change tables, by purpose. */
export type MysqlUsers = Record<keyof typeof rights, MysqlUser>;

/** Their privileges, in this database only: `reads` for routes that read, `work` for workers and schedules. */
const rights = {
  reads: 'SELECT',
  work: 'SELECT, INSERT, UPDATE, DELETE',
};

/**
 * Creates the users that do not exist, sets their passwords and privileges, and revokes all other privileges. The
 * statements work in MySQL 8.0.15 to 8.4 and in MariaDB 10.11. Open connections stay open. Repeating the call changes
 * nothing.
 *
 * @param db of a user that may create users, grant these privileges, and read the tables of `mysql`
 * @throws when that user may not; the message is the server's
 */
export async function createMysqlUsers(db: Kysely<Schema>, users: MysqlUsers): Promise<void> {
  const { rows } = await sql<{ name: string }>`SELECT DATABASE() AS name`.execute(db);
  // In a grant, the name of a database is a pattern.
  const database = sql.id((rows[0]?.name ?? '').replace(/[\\_%]/g, '\\$&'));
  for (const [use, right] of Object.entries(rights) as [keyof MysqlUsers, string][]) {
    const { user, password } = users[use];
    await sql`CREATE USER IF NOT EXISTS ${user}@'%' IDENTIFIED BY ${password}`.execute(db);
    await sql`ALTER USER ${user}@'%' IDENTIFIED BY ${password}`.execute(db);
    const grant = sql`GRANT ${sql.raw(right)} ON ${database}.* TO ${user}@'%'`;
    await grant.execute(db);
    if (await hasOnly(db, user, right)) continue;
    await sql`REVOKE ALL PRIVILEGES, GRANT OPTION FROM ${user}@'%'`.execute(db);
    await grant.execute(db);
  }
}

/**
 * Returns whether the user has exactly these privileges, in one grant. `USAGE`, which every user has, grants nothing.
 */
async function hasOnly(db: Kysely<Schema>, user: string, right: string): Promise<boolean> {
  const { rows } = await sql<Record<string, string>>`SHOW GRANTS FOR ${user}@'%'`.execute(db);
  const [first = '', ...others] = rows.flatMap(Object.values).filter((text) => !text.startsWith('GRANT USAGE ON *.* '));
  return others.length === 0 && first.startsWith(`GRANT ${right} ON `) && !first.endsWith(' WITH GRANT OPTION');
}
