import { statSync } from 'node:fs';
import { type Database, journalBytes } from '../lib/sqlite/database.ts';

/** Time between two attempts, in milliseconds. An attempt waits up to 5 s for readers, and storing waits with it. */
const retryMs = 60_000;

/**
 * Once the journal has this many pages, SQLite copies them into the file. A batch that stores messages of 100 chats
 * writes 400 to 700 pages, mostly the same as the batch before, and a page is copied once, however often it was written.
 * At SQLite's default of 1,000 pages, copying took a third of the time of a commit. 4,000 pages are 16 MB.
 */
const pagesBeforeCopy = 4_000;

/**
 * Decides when the journal of store.db is copied into the file, and empties the journal when it is large. SQLite writes
 * from the beginning of a journal again only at a moment when no reader uses it. While several processes read at full
 * speed, there may be no such moment: a journal was measured to grow to 28 MB in 15 s. This checkpoint waits for such a
 * moment, for up to 5 s. That is long enough for reads, because each has a deadline of 2 s
 * (https://sqlite.org/wal.html#avoiding_excessively_large_wal_files).
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
    database.raw.exec(`PRAGMA wal_autocheckpoint = ${pagesBeforeCopy}`);
  }

  /** Empties the journal if it is too large. Call it between transactions. */
  keepSmall(): void {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= this.#maxBytes || performance.now() < this.#notBefore) return;
    this.#database.raw.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#notBefore = performance.now() + retryMs;
  }
}
