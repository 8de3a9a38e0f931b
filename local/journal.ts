import { statSync } from 'node:fs';
import { type Database, journalBytes } from '../lib/sqlite/database.ts';

/** Time between two attempts, in milliseconds. An attempt waits up to 5 s for readers, and storing waits with it. */
const retryMs = 60_000;

/**
 * Empties the journal of store.db when it is large. SQLite writes from the beginning of a journal again only at a
 * moment when no reader uses it. While several processes read at full speed, there may be no such moment: a journal was
 * measured to grow to 28 MB in 15 s. This checkpoint waits for such a moment. It comes in time, because each read has a
 * deadline (https://sqlite.org/wal.html#avoiding_excessively_large_wal_files).
 */
export class Journal {
  readonly #database: Database;
  readonly #path: string;
  readonly #maxBytes: number;
  #notBefore = 0;

  /** @param options.maxBytes only tests set it */
  constructor(database: Database, databasePath: string, options: { maxBytes?: number } = {}) {
    this.#database = database;
    this.#path = `${databasePath}-wal`;
    this.#maxBytes = options.maxBytes ?? journalBytes;
  }

  /** Empties the journal if it is too large. Call it between transactions. */
  keepSmall(): void {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= this.#maxBytes || performance.now() < this.#notBefore) return;
    this.#database.raw.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#notBefore = performance.now() + retryMs;
  }
}
