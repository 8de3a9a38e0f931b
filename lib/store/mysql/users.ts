import { type Kysely, sql } from 'kysely';
import type { Schema } from '../sql/schema.ts';

/** A user of the SQL server. */
export interface MysqlUser {
  user: string;
  password: string;
}

/** The users who may not change tables, by what they are for. */
export type MysqlUsers = Record<keyof typeof rights, MysqlUser>;

/** What each of them may do in the database, and in no other: routes that read, and what works in the background. */
const rights = {
  reads: 'SELECT',
  work: 'SELECT, INSERT, UPDATE, DELETE',
};

/**
 * Makes the users where they are missing, and sets their passwords and rights; rights that they have besides are revoked. The
 * statements are those that MySQL 8.0.15 to 8.4 and MariaDB 10.11 share. Open connections stay open; a repetition changes
 * nothing.
 *
 * @param db of a user who may make users, grant these rights, and read the tables of `mysql`
 * @throws when the user may not, with the server's message in the error's
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
    if (await hasJust(db, user, right)) continue;
    await sql`REVOKE ALL PRIVILEGES, GRANT OPTION FROM ${user}@'%'`.execute(db);
    await grant.execute(db);
  }
}

/** Whether the user has one grant, and that gives these rights. `USAGE`, which everyone has, gives none. */
async function hasJust(db: Kysely<Schema>, user: string, right: string): Promise<boolean> {
  const { rows } = await sql<Record<string, string>>`SHOW GRANTS FOR ${user}@'%'`.execute(db);
  const [first = '', ...others] = rows.flatMap(Object.values).filter((text) => !text.startsWith('GRANT USAGE ON *.* '));
  return others.length === 0 && first.startsWith(`GRANT ${right} ON `) && !first.endsWith(' WITH GRANT OPTION');
}
