import type { MysqlPool as KyselyPool, MysqlPoolConnection } from 'kysely';
import { createPool, type Pool, type PoolConnection, type PoolOptions } from 'mysql2';
import { Unavailable } from '../../model/errors.ts';
import { TimedConnection } from './connection.ts';
import { isRefusal } from './errors.ts';

/** How long callers wait, in milliseconds: for a connection to be made, and for each query. */
export interface Waiting {
  connectMs: number;
  queryMs: number;
}

/** Who connects: the password, and the user where it is not the one in the URL. */
export interface MysqlLogin {
  user?: string;
  password: string;
}

/**
 * A connection that was idle for longer than this is tried first. A frozen Lambda function notices nothing while the
 * server, or a NAT on the way, drops its connections; within one invocation the ping is saved.
 */
const trustedMs = 1_000;
/** mysql2's pool for kysely, with connections that answer in time and are sound when they are handed out. */
export class MysqlPool implements KyselyPool {
  readonly #options: PoolOptions;
  readonly #waiting: Waiting;
  readonly #login: (() => Promise<MysqlLogin>) | undefined;
  readonly #idleSince = new WeakMap<PoolConnection, number>();
  #pool: Promise<Pool> | undefined;

  /** @param login asked for at once, and again when that failed or the server refused it: the password may have changed */
  constructor(options: PoolOptions, waiting: Waiting, login?: () => Promise<MysqlLogin>) {
    this.#options = options;
    this.#waiting = waiting;
    this.#login = login;
    // A function asks for it while it starts, beside its other secrets. A failure is the first query's, which asks again.
    if (login) this.#open().catch(() => undefined);
  }

  getConnection(callback: (error: unknown, connection: MysqlPoolConnection) => void): void {
    this.#connect().then(
      // Where nothing is streamed or cancelled, kysely calls no more of a connection than this.
      (connection) => callback(undefined, connection as unknown as MysqlPoolConnection),
      (error) => callback(error instanceof Unavailable ? error : new Unavailable(error), undefined as never),
    );
  }

  end(callback: (error: unknown) => void): void {
    if (this.#pool) this.#pool.then((pool) => pool.end(callback), callback);
    else callback(undefined);
  }

  /** Ends because every turn after the first follows a refused password, once, or uses up an idle connection. */
  async #connect(): Promise<TimedConnection> {
    let refused = false;
    for (;;) {
      const pool = await this.#open();
      const connection = await acquired(pool).catch((error) => error as Error);
      if (connection instanceof Error) {
        if (!isRefusal(connection)) throw connection;
        this.#forget(pool);
        if (refused || !this.#login) throw connection;
        refused = true;
        continue;
      }
      const idleSince = this.#idleSince.get(connection);
      const timed = new TimedConnection(connection, this.#waiting.queryMs, () =>
        this.#idleSince.set(connection, Date.now()),
      );
      try {
        if (idleSince === undefined) await timed.begin(this.#waiting.connectMs);
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
    return createPool({ ...this.#options, ...(await this.#login?.()), connectTimeout: this.#waiting.connectMs });
  }

  #forget(refused: Pool): void {
    this.#pool = undefined;
    // Nobody gets a connection from it any more, so nobody asks how closing its last ones went.
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
