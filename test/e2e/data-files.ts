import path from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

/** Runs a query on one of a host's data files, whether the host is running or not, without changing it. */
export function rows<Row>(
  dataDir: string,
  file: 'ledger.db' | 'store.db',
  text: string,
  ...values: SQLInputValue[]
): Row[] {
  const database = new DatabaseSync(path.join(dataDir, file), { readOnly: true, timeout: 5_000 });
  try {
    return database.prepare(text).all(...values) as Row[];
  } finally {
    database.close();
  }
}

/** Returns the only number in the result of a query on a data file. */
export const count = (...query: Parameters<typeof rows>): number => rows<{ count: number }>(...query)[0]?.count ?? 0;

/** Returns every row of a data file with the token, by table, except for the internal full-text tables. */
export function rowsNaming(dataDir: string, file: 'ledger.db' | 'store.db', token: string): Record<string, object[]> {
  const tables = rows<{ name: string }>(
    dataDir,
    file,
    `SELECT DISTINCT t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
     WHERE t.type = 'table' AND t.sql LIKE '%STRICT%' AND c.type = 'TEXT' ORDER BY t.name`,
  );
  const found: Record<string, object[]> = {};
  for (const { name } of tables) {
    const all = rows<Record<string, SQLInputValue>>(dataDir, file, `SELECT * FROM ${name}`);
    const naming = all.filter((row) => Object.values(row).some((value) => String(value).includes(token)));
    if (naming.length > 0) found[name] = naming;
  }
  return found;
}
