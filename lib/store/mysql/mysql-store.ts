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
import { type MysqlLogin, MysqlPool, type Waiting } from './pool.ts';

/** How often a batch that lost against another is tried in all; each time at least one of those that met gets through. */
const transactionTries = 5;

/**
 * Opens a pool of connections to MySQL or MariaDB. A connection is made at its first use, so this never fails. A query
 * throws `Unavailable` when the server is out, and recovers with it.
 *
 * @param url `mysql://user@host:port/database`, with `:password` after the user unless there is a `login`
 * @param options.connections at most so many at a time
 * @param options.login asked for at the first use, and again when the server refused it
 */
export function openMysql(
  url: string,
  options: { connections: number; waiting: Waiting; login?: (() => Promise<MysqlLogin>) | undefined },
): Kysely<Schema> {
  const { connections, waiting, login } = options;
  const pool = new MysqlPool(
    {
      uri: url,
      connectionLimit: connections,
      charset: 'utf8mb4_bin',
      supportBigNumbers: true,
      enableKeepAlive: true,
    },
    waiting,
    login,
  );
  return new Kysely<Schema>({ dialect: new MysqlDialect({ pool }) });
}

/** The store in MySQL or MariaDB. */
export class MysqlStore extends SqlStore {
  /** In one round trip, whatever chats the messages are in. */
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
      await again(() => this.db.transaction().execute((transaction) => mergeAll(transaction, writes)));
    } catch (error) {
      if (isDataError(error)) throw new UnstorableWrite(codeOf(error), { cause: error });
      throw error;
    }
  }

  async setCounts(marks: Mark[], highestNumbers: (number | undefined)[]): Promise<void> {
    await again(() => setCounts(this.db, marks, highestNumbers));
    // Afterwards: what fails half-way is counted once more.
    await again(() => clearMarks(this.db, marks));
  }
}

/** Tries again what lost against another. */
async function again(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isDeadlock(error) || attempt === transactionTries) throw error;
    }
  }
}
