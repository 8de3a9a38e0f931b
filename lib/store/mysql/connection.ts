import type { ExecuteValues, PoolConnection } from 'mysql2';
import { Unavailable } from '../../model/errors.ts';
import { isMysqlOutage } from './errors.ts';
import { sessionStatements } from './session.ts';

/**
 * Time limit of a ping, in milliseconds. A healthy server responds within 1 ms. After a ping that failed, there must be
 * time left for a new connection.
 */
const pingMs = 500;

/**
 * Rows as one parameter. A statement with `VALUES ?` becomes a prepared statement, which the server need not parse each
 * time. Each number of rows is a separate prepared statement that every connection keeps, so use few different numbers.
 */
export class RowBlock {
  readonly rows: unknown[][];
  readonly #row: string;

  /** @param row the SQL of a row such as `(?, ?, 0)`, with a `?` for each of its values */
  constructor(row: string, rows: unknown[][]) {
    this.#row = row;
    this.rows = rows;
  }

  get placeholders(): string {
    return `${this.#row},`.repeat(this.rows.length).slice(0, -1);
  }
}

type Callback<Result> = (error: unknown, result?: Result) => void;

/** A connection whose queries have a time limit. They throw `Unavailable` when the server is unavailable. */
export class TimedConnection {
  readonly #connection: PoolConnection;
  readonly #queryMs: number;
  readonly #released: () => void;
  #failure: unknown;

  constructor(connection: PoolConnection, queryMs: number, released: () => void) {
    this.#connection = connection;
    this.#queryMs = queryMs;
    this.#released = released;
  }

  /** @param parameters the values for `?` in the text, or a single `RowBlock` */
  query(text: string, parameters: unknown[], callback: Callback<unknown>): void {
    const [block] = parameters;
    const start = (done: Callback<unknown>) =>
      block instanceof RowBlock
        ? this.#connection.execute(text.replace('?', block.placeholders), block.rows.flat() as ExecuteValues, done)
        : this.#connection.query(text, parameters, done);
    this.#withDeadline(this.#queryMs, start, callback);
  }

  /** Applies our session settings to a new connection. */
  async setUpSession(ms: number): Promise<void> {
    // The pool removes a broken connection by itself. Without a listener, a second error would end the process.
    this.#connection.on('error', () => undefined);
    for (const statement of sessionStatements)
      await new Promise<void>((resolve, reject) =>
        this.#withDeadline(
          ms,
          (done) => this.#connection.query(statement, done),
          (error) => (error ? reject(error) : resolve()),
        ),
      );
  }

  ping(): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#withDeadline(
        pingMs,
        (done) => this.#connection.ping(done),
        (error) => (error ? reject(error) : resolve()),
      ),
    );
  }

  release(): void {
    this.#released();
    this.#connection.release();
  }

  destroy(): void {
    this.#connection.destroy();
  }

  /**
   * Starts a call, and fails it if it takes longer than `ms` milliseconds. After an outage the state of the connection
   * is unknown, so it is destroyed, and all later calls on it, such as the rollback of a transaction, fail with the
   * same error.
   */
  #withDeadline(ms: number, start: (done: Callback<unknown>) => unknown, callback: Callback<unknown>): void {
    if (this.#failure) {
      callback(this.#failure);
      return;
    }
    let settled = false;
    const done: Callback<unknown> = (error, result) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      if (isMysqlOutage(error)) {
        this.#failure = new Unavailable(error);
        this.#connection.destroy();
      }
      callback(this.#failure ?? error, result);
    };
    const timer = setTimeout(() => {
      done(
        Object.assign(new Error(`The database did not respond within ${ms} ms`), { code: 'ETIMEDOUT', fatal: true }),
      );
    }, ms);
    start(done);
  }
}
