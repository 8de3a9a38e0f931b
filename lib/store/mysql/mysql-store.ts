import { type Compilable, Kysely, MysqlDialect, sql } from 'kysely';
import type { MessageKey } from '../../model/keys.ts';
import type { Write } from '../../model/write.ts';
import type { Mark } from '../counting.ts';
import { type MergedMessage, UnstorableWrite } from '../merging.ts';
import type { Schema } from '../sql/schema.ts';
import { mergedMessage, SqlStore } from '../sql/sql-store.ts';
import { clearMarks, setCounts } from './counts.ts';
import { codeOf, isDataError, isDeadlock } from './errors.ts';
import { keyTable, keyToken } from './keys.ts';
import { mergeAll } from './merge.ts';
import { type MysqlLogin, MysqlPool, type SqlTimeouts } from './pool.ts';

/** Most attempts of a transaction that deadlocks. Each time, at least one of the conflicting transactions succeeds. */
const transactionTries = 5;

/**
 * Opens a pool of connections to MySQL or MariaDB. This never fails, because the first query connects. A query throws
 * `Unavailable` while the server is unavailable, and works again when the server is back.
 *
 * @param url `mysql://user@host:port/database`, with `:password` after the user unless there is a `login`
 * @param options.connections most connections at a time
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
  /** Takes one round trip, whatever chats the messages are in. */
  override async merged(keys: MessageKey[]): Promise<MergedMessage[]> {
    if (keys.length === 0) return [];
    const { rows } = await sql<Schema['messages']>`
      SELECT messages.* FROM ${keyTable(keys)} STRAIGHT_JOIN messages
      ON messages.token = ${keyToken} AND messages.chat = k.chat AND messages.number = k.number`.execute(this.db);
    return rows.map(mergedMessage);
  }

  protected override async together(statements: Compilable[]): Promise<void> {
    await this.db.transaction().execute(async (transaction) => {
      for (const statement of statements) await transaction.executeQuery(statement.compile());
    });
  }

  async merge(writes: Write[]): Promise<void> {
    try {
      await retryDeadlocks(() => this.db.transaction().execute((transaction) => mergeAll(transaction, writes)));
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
async function retryDeadlocks(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isDeadlock(error) || attempt === transactionTries) throw error;
    }
  }
}
