import { type RawBuilder, sql } from 'kysely';

interface Key {
  token: string;
  chat: number;
  number?: number | undefined;
}

/**
 * The keys as a table `k`, to be joined before the table whose rows are wanted: each is one look-up in its primary key,
 * and all are one round trip. 1,000 messages of as many chats took 4 ms so; asked for one by one 180 ms, and in one
 * `(token, chat, number) IN (…)` 390 ms, for MariaDB compares each row with each key.
 */
export const keyTable = (keys: Key[]): RawBuilder<unknown> =>
  sql`JSON_TABLE(${JSON.stringify(keys.map(({ token, chat, number }) => [token, chat, number]))}, '$[*]' COLUMNS (
    token VARCHAR(64) PATH '$[0]', chat BIGINT UNSIGNED PATH '$[1]', number BIGINT UNSIGNED PATH '$[2]'
  )) AS k`;

/** The token of `k`, comparable with the column of a table by that one's index. */
export const keyToken = sql`CONVERT(k.token USING ascii) COLLATE ascii_bin`;
