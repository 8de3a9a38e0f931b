import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PreparedQuery } from '../../lib/store/sql/prepared-query.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

let file: SqliteFile;
beforeEach(async () => {
  file = await openSqliteFile({});
});
afterEach(() => file.remove());

test('a prepared query is built once, and each execution has its own values in the order of the SQL', async () => {
  const db = file.database.kysely<object>();
  const build = vi.fn(({ a, b }: { a: string; b: string }) => ({
    compile: () => sql<{ text: string }>`SELECT ${b} || ${a} || ${'-'} || ${b} AS text`.compile(db),
  }));
  const query = new PreparedQuery(build);
  const rows = async (values: { a: string; b: string }) => {
    const { sql, parameters } = query.with(values);
    return file.database.rows(sql, parameters as string[]);
  };
  expect(await rows({ a: '1', b: 'x' })).toEqual([{ text: 'x1-x' }]);
  expect(await rows({ b: 'y', a: '2' })).toEqual([{ text: 'y2-y' }]);
  expect(build).toHaveBeenCalledOnce();
});
