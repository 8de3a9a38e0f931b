import type { MysqlPool as KyselyPool, MysqlPoolConnection } from 'kysely';
import { createPool, type Pool, type PoolConnection, type PoolOptions } from 'mysql2';
import { Unavailable } from '../../model/errors.ts';
import { TimedConnection } from './connection.ts';
import { isAccessDenied } from './errors.ts';

/** Time limits in milliseconds: for making a connection, and for each query. */
export interface SqlTimeouts {
  connectMs: number;
  queryMs: number;
}

/** The password, and the user if it is not the one in the URL. */
export interface MysqlLogin {
  user?: string;
  password: string;
}

/**
 * A connection that was idle for longer than this, in milliseconds, is pinged before it is used. While Lambda freezes a
 * function, the server or a NAT may drop its connections unnoticed. Within one invocation, no ping is needed.
 */
const trustedMs = 1_000;
/**
 * mysql2's pool for kysely. Its connections have time limits, and one that was idle is checked before it is handed out.
 */
export class MysqlPool implements KyselyPool {
  readonly #options: PoolOptions;
  readonly #timeouts: SqlTimeouts;
  readonly #login: (() => Promise<MysqlLogin>) | undefined;
  readonly #idleSince = new WeakMap<PoolConnection, number>();
  #pool: Promise<Pool> | undefined;

  /**
   * @param login called at once, and again after it failed or the server refused the login: the password may have
   *   changed
   */
  constructor(options: PoolOptions, timeouts: SqlTimeouts, login?: () => Promise<MysqlLogin>) {
    this.#options = options;
    this.#timeouts = timeouts;
    this.#login = login;
    // Read the login while the function starts, beside its other secrets. If that fails, the first query tries again
    // and throws.
    if (login) this.#open().catch(() => undefined);
  }

  getConnection(callback: (error: unknown, connection: MysqlPoolConnection) => void): void {
    this.#connect().then(
      // kysely uses no other methods of a connection, unless a query is streamed or cancelled.
      (connection) => callback(undefined, connection as unknown as MysqlPoolConnection),
      (error) => callback(error instanceof Unavailable ? error : new Unavailable(error), undefined as never),
    );
  }

  end(callback: (error: unknown) => void): void {
    if (this.#pool) this.#pool.then((pool) => pool.end(callback), callback);
    else callback(undefined);
  }

  /**
   * Returns a connection that works. The loop ends: it repeats once for a refused password, and once for each idle
   * connection that fails its ping and is then gone.
   */
  async #connect(): Promise<TimedConnection> {
    let refused = false;
    for (;;) {
      const pool = await this.#open();
      const connection = await acquired(pool).catch((error) => error as Error);
      if (connection instanceof Error) {
        if (!isAccessDenied(connection)) throw connection;
        this.#forget(pool);
        if (refused || !this.#login) throw connection;
        refused = true;
        continue;
      }
      const idleSince = this.#idleSince.get(connection);
      const timed = new TimedConnection(connection, this.#timeouts.queryMs, () =>
        this.#idleSince.set(connection, Date.now()),
      );
      try {
        if (idleSince === undefined) await timed.setUpSession(this.#timeouts.connectMs);
        else if (Math.abs(Date.now() - idleSince) > trustedMs) await timed.ping();
        return timed;
      } catch (error) {
        timed.destroy();
        if (idleSince === undefined) throw error;
      }
    }
  }

  #open(): Promise<Pool> {
    this.#pool ??= this.#make().catch((error) => {
      this.#pool = undefined;
      throw error;
    });
    return this.#pool;
  }

  async #make(): Promise<Pool> {
    return createPool({ ...this.#options, ...(await this.#login?.()), connectTimeout: this.#timeouts.connectMs });
  }

  #forget(refused: Pool): void {
    this.#pool = undefined;
    // No caller can get a connection from this pool any more, so it does not matter how closing it ends.
    refused.end(() => undefined);
  }
}

const acquired = (pool: Pool): Promise<PoolConnection> =>
  new Promise((resolve, reject) => {
    pool.getConnection((error, connection) => {
      if (error) reject(error);
      else resolve(connection);
    });
  });
