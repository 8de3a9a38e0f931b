import { type Compilable, Kysely, MysqlDialect, type Selectable, sql } from 'kysely';
import type { MessageKey } from '../../model/keys.ts';
import type { Version } from '../../model/version.ts';
import type { Write } from '../../model/write.ts';
import type { Step } from '../changes.ts';
import type { Mark } from '../counting.ts';
import { type MergedMessage, UnstorableWrite } from '../merging.ts';
import { mergedMessage } from '../sql/rows.ts';
import type { Schema } from '../sql/schema.ts';
import { chatChange, messageChange } from '../sql/sql-changes.ts';
import { SqlStore } from '../sql/sql-store.ts';
import { clearMarks, setCounts } from './counts.ts';
import { codeOf, isDataError, isDeadlock } from './errors.ts';
import { keyTable, keyToken, rowTable } from './keys.ts';
import { mergeAll } from './merge.ts';
import { type MysqlLogin, MysqlPool, type SqlTimeouts } from './pool.ts';

/** Maximum number of attempts of a transaction that deadlocks. Each time, at least one of the conflicting transactions succeeds. */
const transactionTries = 5;

/**
 * Opens a pool of connections to MySQL or MariaDB. This never fails, because the first query connects. A query throws
 * `Unavailable` while the server is unavailable, and works again when the server is back.
 *
 * @param url `mysql://user@host:port/database`, with `:password` after the user unless there is a `login`
 * @param options.connections maximum number of connections at a time
 * @param options.login called at once, and again after it failed or the server refused the login
 */
export function openMysql(
  url: string,
  options: { connections: number; timeouts: SqlTimeouts; login?: (() => Promise<MysqlLogin>) | undefined },
): Kysely<Schema> {
  const { connections, timeouts, login } = options;
  const pool = new MysqlPool(
    {
      uri: url,
      connectionLimit: connections,
      charset: 'utf8mb4_bin',
      supportBigNumbers: true,
      enableKeepAlive: true,
    },
    timeouts,
    login,
  );
  return new Kysely<Schema>({ dialect: new MysqlDialect({ pool }) });
}

/** The store in MySQL or MariaDB. */
export class MysqlStore extends SqlStore {
  /** Returns the merged rows in one round trip, whatever chats the messages are in. */
  async merged(keys: MessageKey[]): Promise<MergedMessage[]> {
    if (keys.length === 0) return [];
    const { rows } = await sql<Schema['messages']>`
      SELECT messages.* FROM ${keyTable(keys)} STRAIGHT_JOIN messages
      ON messages.token = ${keyToken} AND messages.chat = k.chat AND messages.number = k.number`.execute(this.db);
    return rows.map(mergedMessage);
  }

  protected override async inTransaction(statements: Compilable[]): Promise<void> {
    await this.db.transaction().execute(async (transaction) => {
      for (const statement of statements) await transaction.executeQuery(statement.compile());
    });
  }

  protected override indexHint(index: string) {
    return sql`FORCE INDEX (${sql.ref(index)})`;
  }

  async steps(versions: Version[]): Promise<Step[]> {
    const ofChats = versions.filter(({ chat }) => chat === undefined);
    const ofMessages = versions.filter(({ chat }) => chat !== undefined);
    const chats = await this.#changedBy<Selectable<Schema['chats']>>('chats', ofChats);
    const messages = await this.#changedBy<Schema['messages']>('messages', ofMessages);
    return versions.map(({ token, chat, version }) => {
      const key = `${token}/${chat ?? 0}/${version}`;
      return chat === undefined
        ? { token, version, changes: (chats.get(key) ?? []).map(chatChange) }
        : { token, chat, version, changes: (messages.get(key) ?? []).map(messageChange) };
    });
  }

  /** Returns the rows of each version, in the order of their numbers, by `token/chat/version`. */
  async #changedBy<Row extends { token: string; chat?: number; version: number }>(
    table: 'chats' | 'messages',
    versions: Version[],
  ): Promise<Map<string, Row[]>> {
    if (versions.length === 0) return new Map();
    const row = sql.table(table);
    // In the index, `number` comes last. Each key has a value for every column before it, `deleted` included, so that a
    // key is one look-up.
    const keys = versions.flatMap(({ token, chat = 0, version }) =>
      [0, 1].map((deleted): [string, ...number[]] => [token, chat, deleted, version]),
    );
    const { rows } = await sql<Row>`
      SELECT ${row}.* FROM ${rowTable(['chat', 'deleted', 'version'], keys)}
      STRAIGHT_JOIN ${row} ${this.indexHint(`${table}_by_version`)}
        ON ${row}.token = ${keyToken} ${table === 'messages' ? sql`AND ${row}.chat = k.chat` : sql``}
        AND ${row}.deleted = k.deleted AND ${row}.version = k.version
      WHERE ${row}.deleted = 1 OR ${row}.created_at IS NOT NULL
      ORDER BY ${row}.number`.execute(this.db);
    return Map.groupBy(rows, ({ token, chat = 0, version }) => `${token}/${chat}/${version}`);
  }

  async merge(writes: Write[]): Promise<Version[]> {
    try {
      return await retryDeadlocks(() => this.db.transaction().execute((transaction) => mergeAll(transaction, writes)));
    } catch (error) {
      if (isDataError(error)) throw new UnstorableWrite(codeOf(error), { cause: error });
      throw error;
    }
  }

  async setCounts(marks: Mark[], highestNumbers: (number | undefined)[]): Promise<void> {
    await retryDeadlocks(() => setCounts(this.db, marks, highestNumbers));
    // Last, so that a failure in between only makes the next roll-up count again.
    await retryDeadlocks(() => clearMarks(this.db, marks));
  }
}

/** Runs a transaction, and retries it after a deadlock. */
async function retryDeadlocks<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isDeadlock(error) || attempt === transactionTries) throw error;
    }
  }
}
