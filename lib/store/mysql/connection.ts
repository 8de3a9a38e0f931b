import type { ExecuteValues, PoolConnection } from 'mysql2';
import { Unavailable } from '../../model/errors.ts';
import { isMysqlOutage } from './errors.ts';
import { sessionStatements } from './session.ts';

/** A living server answers a ping within a millisecond; then there must be time left for a new connection. */
const pingMs = 500;

/**
 * So many rows as one parameter: `VALUES ?` becomes a prepared statement, which the server need not read anew each time.
 * Each number of rows is a statement of its own that every connection keeps, so there shall be few.
 */
export class RowBlock {
  readonly rows: unknown[][];
  readonly #row: string;

  /** @param row as `(?, ?, 0)`, with a `?` for each value of a row */
  constructor(row: string, rows: unknown[][]) {
    this.#row = row;
    this.rows = rows;
  }

  get placeholders(): string {
    return `${this.#row},`.repeat(this.rows.length).slice(0, -1);
  }
}

type Callback<Result> = (error: unknown, result?: Result) => void;

/** A connection whose queries end in time: with their result, or with `Unavailable` when the server is out. */
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

  /** @param parameters for `?` in the text, or a `RowBlock` alone */
  query(text: string, parameters: unknown[], callback: Callback<unknown>): void {
    const [block] = parameters;
    const start = (done: Callback<unknown>) =>
      block instanceof RowBlock
        ? this.#connection.execute(text.replace('?', block.placeholders), block.rows.flat() as ExecuteValues, done)
        : this.#connection.query(text, parameters, done);
    this.#withDeadline(this.#queryMs, start, callback);
  }

  /** Makes a new connection's session ours. */
  async begin(ms: number): Promise<void> {
    // The pool drops a broken connection by itself; a second error that nobody hears would end the process.
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
   * After an outage nobody knows what the connection would answer next, so it is given up, and everything that follows
   * on it (the rollback of a transaction) fails with the same error.
   */
  #withDeadline(ms: number, start: (done: Callback<unknown>) => unknown, callback: Callback<unknown>): void {
    if (this.#failure) {
      callback(this.#failure);
      return;
    }
    let answered = false;
    const done: Callback<unknown> = (error, result) => {
      if (answered) return;
      answered = true;
      clearTimeout(timer);
      if (isMysqlOutage(error)) {
        this.#failure = new Unavailable(error);
        this.#connection.destroy();
      }
      callback(this.#failure ?? error, result);
    };
    const timer = setTimeout(() => {
      done(Object.assign(new Error(`The database did not answer within ${ms} ms`), { code: 'ETIMEDOUT', fatal: true }));
    }, ms);
    start(done);
  }
}
