import { limits } from '../../limits.ts';
import type { MessageKey } from '../../model/keys.ts';
import type { Database } from '../../sqlite/database.ts';
import type { Store } from '../../store/store.ts';
import { documentsOf } from '../documents-of.ts';
import { type Reindexing, ReindexProblem, type ReindexStep } from '../reindex.ts';
import { foldVersion } from '../text/fold-table.ts';
import type { SqliteSearchIndex } from './sqlite-index.ts';

type Progress = MessageKey & { copied: number };

/** The progress of a run that has copied nothing. */
const beginning: Progress = { token: '', chat: 0, number: 0, copied: 0 };

/**
 * Returns the progress of an unfinished rebuild; undefined when there is none. Until the rebuild is finished, searches
 * miss messages.
 */
export const rebuildingAt = (database: Database): Progress | undefined =>
  database.prepare('SELECT token, chat, number, copied FROM search_rebuild').get() as Progress | undefined;

/**
 * Empties the index and refills it from the store, while no other process uses the file. The progress is stored in the
 * file, and the system refuses to start on it until the rebuild is finished.
 */
export class SqliteReindexing implements Reindexing {
  readonly #database: Database;
  readonly #store: Pick<Store, 'scan'>;
  readonly #index: Pick<SqliteSearchIndex, 'index'>;

  constructor(database: Database, store: Pick<Store, 'scan'>, index: Pick<SqliteSearchIndex, 'index'>) {
    this.#database = database;
    this.#store = store;
    this.#index = index;
  }

  async plan() {
    const { copied } = rebuildingAt(this.#database) ?? beginning;
    const row = this.#database.prepare('SELECT count(*) AS count FROM messages').get();
    return {
      what:
        copied > 0
          ? `continue rebuilding the index, which has ${copied} messages so far`
          : 'rebuild the index in place',
      messages: Number(row?.count) - copied,
    };
  }

  async *run(): AsyncGenerator<ReindexStep> {
    const begun = rebuildingAt(this.#database);
    if (begun) yield { kind: 'copied', messages: begun.copied, refused: [] };
    else this.#empty();
    let progress = begun ?? beginning;
    const page = limits.rowsPerTransaction;
    for (let more = true; more; ) {
      const rows = await this.#store.scan(page, progress);
      await this.#index.index(rows.flatMap(documentsOf));
      more = rows.length === page;
      const { token, chat, number } = rows.at(-1) ?? progress;
      progress = { token, chat, number, copied: progress.copied + rows.length };
      this.#database
        .prepare('UPDATE search_rebuild SET token = ?, chat = ?, number = ?, copied = ?')
        .run(token, chat, number, progress.copied);
      yield { kind: 'copied', messages: rows.length, refused: [] };
    }
    this.#database.transaction(() => {
      this.#database.prepare('UPDATE search_fold SET version = ?').run(foldVersion);
      this.#database.prepare('DELETE FROM search_rebuild').run();
    });
    yield { kind: 'done', what: 'the index is complete' };
  }

  // biome-ignore lint/correctness/useYield: a rebuild in place cannot be undone, so there is no step to yield
  async *abort(): AsyncGenerator<ReindexStep> {
    if (rebuildingAt(this.#database))
      throw new ReindexProblem(
        'The previous index was already emptied, so the rebuild cannot be aborted. Run script/ops reindex again to continue it.',
      );
  }

  #empty(): void {
    this.#database.transaction(() => {
      for (const table of ['search_trigrams', 'search_grams'])
        this.#database.prepare(`INSERT INTO ${table} (${table}) VALUES ('delete-all')`).run();
      for (const table of ['search_documents', 'search_chats', 'search_applications'])
        this.#database.prepare(`DELETE FROM ${table}`).run();
      const { token, chat, number, copied } = beginning;
      this.#database.prepare('INSERT INTO search_rebuild VALUES (?, ?, ?, ?)').run(token, chat, number, copied);
    });
  }
}
