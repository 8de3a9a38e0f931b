import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Schema } from '../sql/schema.ts';

/** The columns of each table's primary key. */
const primaryKeys = {
  applications: ['token'],
  chats: ['token', 'number'],
  messages: ['token', 'chat', 'number'],
  missing_numbers: ['token', 'chat', 'number'],
  versions: ['token', 'chat'],
  rollup_marks: ['token', 'chat'],
  purges: ['token', 'chat'],
} satisfies Record<keyof Schema, string[]>;

/**
 * Rows of one statement. With bodies of 10,000 characters they stay far below MySQL's limit of 64 MB for a statement.
 */
const rowsAtOnce = 200;
/** Rows that one statement deletes. */
const deletedAtOnce = 5_000;

type Row = Record<string, unknown>;

interface Table {
  name: string;
  /** The columns of the primary key. */
  key: string[];
}

const tables: Table[] = Object.entries(primaryKeys).map(([name, key]) => ({ name, key }));

/** A step of a copy: rows of a table that were deleted or copied. */
export interface CopyStep {
  table: string;
  kind: 'deleted' | 'copied';
  rows: number;
}

/** The database to copy from is the one to copy to. */
export class SameDatabase extends Error {
  constructor() {
    super('The address belongs to the database that would be replaced; pass the address of the restored database.');
  }
}

/**
 * Replaces the rows of all tables with those of another database, which may be of an earlier version of the schema.
 * Rows from a release before change versions get version 1, and reconcile raises the versions of their chats. Nothing
 * else may write to either database meanwhile. A copy that is stopped leaves an incomplete database; run it again.
 *
 * @throws SameDatabase before anything is deleted
 */
export async function* copyDatabase(from: Kysely<Schema>, to: Kysely<Schema>): AsyncGenerator<CopyStep> {
  if (await isSame(from, to)) throw new SameDatabase();
  for (const table of tables) yield* empty(to, table);
  const known = new Set((await from.introspection.getTables()).map(({ name }) => name));
  for (const table of tables) if (known.has(table.name)) yield* copyTable(from, to, table);
}

/**
 * Takes a lock in one database, and looks for it in the other. A lock belongs to a server, and its name contains the name
 * of the database, so only the same database of the same server has it.
 */
const isSame = (from: Kysely<Schema>, to: Kysely<Schema>): Promise<boolean> =>
  to.connection().execute(async (connection) => {
    const lock = sql`CONCAT('chat-system/', DATABASE())`;
    await sql`SELECT GET_LOCK(${lock}, 0)`.execute(connection);
    const { rows } = await sql<{ holder: number | null }>`SELECT IS_USED_LOCK(${lock}) AS holder`.execute(from);
    await sql`SELECT RELEASE_LOCK(${lock})`.execute(connection);
    return rows[0]?.holder !== null;
  });

async function* empty(to: Kysely<Schema>, { name }: Table): AsyncGenerator<CopyStep> {
  for (;;) {
    const { numAffectedRows = 0n } = await sql`DELETE FROM ${sql.table(name)} LIMIT ${sql.lit(deletedAtOnce)}`.execute(
      to,
    );
    if (numAffectedRows === 0n) return;
    yield { table: name, kind: 'deleted', rows: Number(numAffectedRows) };
  }
}

async function* copyTable(from: Kysely<Schema>, to: Kysely<Schema>, table: Table): AsyncGenerator<CopyStep> {
  let rows = await page(from, table);
  while (rows.length > 0) {
    const columns = Object.keys(rows[0] as Row);
    const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`);
    await sql`INSERT INTO ${sql.table(table.name)} (${sql.join(columns.map((column) => sql.ref(column)))}) VALUES ${sql.join(values)}`.execute(
      to,
    );
    yield { table: table.name, kind: 'copied', rows: rows.length };
    rows = await page(from, table, rows.at(-1));
  }
}

/** Returns the next rows in the order of the primary key. */
async function page(from: Kysely<Schema>, { name, key }: Table, after?: Row): Promise<Row[]> {
  const rows: Row[] = [];
  for (const range of after ? rangesAfter(key, after) : [sql`TRUE`])
    if (rows.length < rowsAtOnce) {
      const order = sql.join(key.map((column) => sql.ref(column)));
      const found = await sql<Row>`
        SELECT * FROM ${sql.table(name)} WHERE ${range} ORDER BY ${order} LIMIT ${sql.lit(rowsAtOnce - rows.length)}
      `.execute(from);
      rows.push(...found.rows);
    }
  return rows;
}

/**
 * Returns the ranges of the primary key after a row. With one condition for all ranges, MySQL would not use the index
 * to start at this row.
 */
const rangesAfter = (key: string[], after: Row): RawBuilder<unknown>[] =>
  key.map((_, i) => {
    const fixed = key.slice(0, key.length - 1 - i);
    const next = key[fixed.length] as string;
    const conditions = [
      ...fixed.map((column) => sql`${sql.ref(column)} = ${after[column]}`),
      sql`${sql.ref(next)} > ${after[next]}`,
    ];
    return sql.join(conditions, sql` AND `);
  });
