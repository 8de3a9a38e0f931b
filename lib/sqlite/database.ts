import { closeSync, fdatasync, openSync, readSync, statSync } from 'node:fs';
import { backup, DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Kysely, SqliteDialect, type SqliteStatement } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import {
  type CommitNumbers,
  checkpointedCommit,
  firstCommitInJournal,
  isLater,
  nextCommit,
  type Pairing,
} from './commit-numbers.ts';

/** The migrations of a file, by the part of the program that owns the tables. Each part has its own versions. */
export type DatabaseSchema = Record<string, Record<string, Migration>>;

/** Why a database file, or a file beside it, cannot be used; `reason` completes the sentence "The database FILE …". */
export class UnusableDatabase extends Error {
  constructor(path: string, reason: string, { kind = 'database', ...options }: ErrorOptions & { kind?: string } = {}) {
    super(`The ${kind} ${path} ${reason}`, options);
    this.name = 'UnusableDatabase';
  }
}

const damaged = (path: string, cause?: unknown): UnusableDatabase =>
  new UnusableDatabase(path, 'is damaged; restore the whole data folder from a backup.', { cause });

/**
 * Files up to this size, in bytes, are checked as a whole at the start, at some 500 MB/s. Larger files have only their
 * header checked.
 */
const wholeCheckBytes = 128 * 1024 * 1024;

/**
 * When SQLite restarts the journal (the `-wal` file) from its beginning, it truncates a larger file to this size, in
 * bytes. A journal grows while a reader holds a snapshot, as a backup does, because SQLite then cannot reuse it.
 * Without such a reader, it stayed below 40 MB at 2,500 messages a second. That was measured with SQLite's default,
 * which copies the journal into the file once it has 4 MB.
 */
export const journalBytes = 64 * 1024 * 1024;

/**
 * The pages that a copy reads at once, 4 MB of 4,096 bytes each. Between two of these steps, the copy can be stopped.
 */
const copiedPagesAtOnce = 1_000;

/** Default size of a connection's page cache, in kB. With 8 MB for the store, indexing waits for the disk more often. */
const defaultCacheKb = 16_000;

/** The first 16 bytes of every database (https://sqlite.org/fileformat.html). */
const databaseHeader = 'SQLite format 3\0';

/**
 * A connection waits this long for the locks of others, in milliseconds. For some microseconds, a reader can hold the
 * lock that a writer needs: when it reads the header of the journal while the header is being written.
 */
const busyMs = 5_000;

const syncData = promisify(fdatasync);

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function headerOf(path: string): string {
  const header = Buffer.alloc(databaseHeader.length);
  const file = openSync(path, 'r');
  try {
    readSync(file, header);
  } finally {
    closeSync(file);
  }
  return header.toString('latin1');
}

/**
 * Opens a database for reading. It changes nothing, but SQLite creates its shared-memory file (`-shm`) if the journal
 * is not empty, or if another process may use the database.
 */
function openUntouched(path: string, shared: boolean): DatabaseSync {
  const url = pathToFileURL(path);
  // SQLite does not look for locks and journals of an immutable file.
  if (!shared && sizeOf(`${path}-wal`) === 0) url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, { readOnly: true, timeout: busyMs });
}

export interface DatabaseOptions {
  readOnly?: boolean;
  /** A commit is only on the disk after the next `sync`. */
  syncsLater?: boolean;
  /** Size of the page cache, in kB. */
  cacheKb?: number;
  /** The file is one of a pair: each transaction that changes it raises its commit number. */
  pairing?: Pairing | undefined;
}

/** What `Database.check` finds in a file. */
export interface FileState {
  /**
   * `nothing` for a missing or empty file, `no data` when the table that was asked for has no rows, otherwise `data`.
   */
  holds: 'nothing' | 'no data' | 'data';
  commitNumbers: CommitNumbers;
  /** Whether it has all tables of this version of the program, so that it can be used without a migration. */
  isCurrent: boolean;
  /** The id of the data folder, from the table `folder`; undefined in a file of a version without this table. */
  folder: string | undefined;
}

/** A SQLite database file. Prepared statements are cached. */
export class Database {
  readonly raw: DatabaseSync;
  readonly #path: string;
  readonly #journalPath: string;
  readonly #pairing: Pairing | undefined;
  readonly #syncsLater: boolean;
  #journal: number | undefined;
  readonly #statements = new Map<string, StatementSync>();
  readonly #queries = new Map<string, { statement: StatementSync; names: string[] }>();
  readonly #forKysely = new Map<string, SqliteStatement>();
  /** The number of this connection's last commit; undefined before the first. */
  #lastCommit: number | undefined;
  /**
   * Rows that this connection had changed by its last commit. A transaction that changes none does not change the file.
   */
  #changes = 0;

  private constructor(path: string, options: DatabaseOptions) {
    const { readOnly = false, syncsLater = false, cacheKb = defaultCacheKb, pairing } = options;
    this.raw = new DatabaseSync(path, { readOnly, timeout: busyMs });
    this.#path = path;
    this.#journalPath = `${path}-wal`;
    this.#pairing = pairing;
    this.#syncsLater = syncsLater;
    // An acknowledged write must survive a power cut. So SQLite syncs every commit (FULL), unless `sync` does it;
    // NORMAL still syncs what keeps the file consistent. With WAL, readers continue during a commit.
    if (!readOnly) this.raw.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${syncsLater ? 'NORMAL' : 'FULL'}`);
    this.raw.exec(`PRAGMA cache_size = -${cacheKb}; PRAGMA temp_store = MEMORY`);
    // Detect a damaged page layout when the page is read, not only when one of its values makes no sense.
    this.raw.exec('PRAGMA cell_size_check = ON');
    // Overwrite deleted data with zeros. Merging and accepting cost the same as without it, purging costs a twelfth
    // more.
    if (!readOnly) this.raw.exec(`PRAGMA secure_delete = ON; PRAGMA journal_size_limit = ${journalBytes}`);
  }

  /**
   * Opens the file, or creates it.
   *
   * @throws UnusableDatabase when the file is damaged, is not a database, or is in use elsewhere
   */
  static open(path: string, options: DatabaseOptions = {}): Database {
    let database: Database | undefined;
    try {
      database = new Database(path, options);
      database.raw.exec('SELECT count(*) FROM sqlite_schema');
      return database;
    } catch (error) {
      database?.close();
      throw explained(path, error);
    }
  }

  /**
   * Checks that a file is a sound database that this version of the program understands. Does not change the file.
   *
   * @param options.table the table whose rows are the data
   * @param options.shared other processes may use the file meanwhile. This process must have no connection to it,
   *   because closing the file would release that connection's locks
   * @param options.whole check all pages of the file, however large it is, and all its SQL indexes
   * @throws UnusableDatabase
   */
  static check(
    path: string,
    schema: DatabaseSchema,
    { table, shared = false, whole = false }: { table: string; shared?: boolean; whole?: boolean },
  ): FileState {
    let raw: DatabaseSync | undefined;
    try {
      const size = sizeOf(path);
      if (size === 0)
        return { holds: 'nothing', commitNumbers: { own: 0, other: 0 }, isCurrent: false, folder: undefined };
      // SQLite would silently replace a damaged header by the one in the journal, which may be older.
      if (headerOf(path) !== databaseHeader) throw damaged(path);
      // All of these numbers only rise. Because they are read in this order, the comparisons below hold even if another
      // process commits or checkpoints meanwhile.
      const first = sizeOf(`${path}-wal`) > 0 ? firstCommitInJournal(`${path}-wal`) : undefined;
      const checkpointed = checkpointedCommit(path);
      raw = openUntouched(path, shared);
      const commitNumbers = commitNumbersIn(raw);
      // The number of the first commit in the journal may be at most one above that of the file: no commit is missing
      // in between. The number of the last commit in the journal may not be below that of the file. Otherwise commits
      // are lost, and SQLite would mix pages of different moments.
      if (isLater(checkpointed, commitNumbers.own) || (first !== undefined && isLater(first, nextCommit(checkpointed))))
        throw new UnusableDatabase(
          path,
          `and its journal ${path}-wal are damaged or from different moments; restore the whole data folder from a backup.`,
        );
      if (whole || size <= wholeCheckBytes) {
        const [found] = Object.values(raw.prepare(`PRAGMA ${whole ? 'integrity' : 'quick'}_check(1)`).get() ?? {});
        if (found !== 'ok') throw damaged(path, found);
      }
      const hasTable = raw.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
      let isCurrent = true;
      for (const [owner, migrations] of Object.entries(schema)) {
        const applied = hasTable.get(`${owner}_migrations`)
          ? raw.prepare(`SELECT name FROM ${owner}_migrations`).all()
          : [];
        if (applied.some(({ name }) => !Object.hasOwn(migrations, String(name))))
          throw new UnusableDatabase(
            path,
            'was written by a newer version of chat-system; start that version instead.',
          );
        isCurrent &&= applied.length === Object.keys(migrations).length;
      }
      const hasRows = (name: string) => hasTable.get(name) && raw?.prepare(`SELECT 1 FROM ${name} LIMIT 1`).get();
      const folder = hasTable.get('folder') ? raw.prepare('SELECT id FROM folder').get()?.id : undefined;
      return {
        holds: hasRows(table) ? 'data' : 'no data',
        commitNumbers,
        isCurrent,
        folder: folder === undefined ? undefined : String(folder),
      };
    } catch (error) {
      throw explained(path, error);
    } finally {
      raw?.close();
    }
  }

  /** Returns the prepared statement of a text. Each text is prepared only once. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.raw.prepare(withoutBareLimit(sql));
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /**
   * Returns the rows of a query. It reads each row as an array and makes an object of it, because the row objects of
   * node:sqlite have no hidden class. Reading a page of messages and using it takes a third less time this way.
   */
  rows<Row>(sql: string, parameters: SQLInputValue[]): Row[] {
    let query = this.#queries.get(sql);
    if (!query) {
      const statement = this.raw.prepare(withoutBareLimit(sql));
      statement.setReturnArrays(true);
      query = { statement, names: statement.columns().map(({ name }) => name) };
      this.#queries.set(sql, query);
    }
    const { statement, names } = query;
    return statement.all(...parameters).map((values) => rowOf(names, values as unknown as SQLOutputValue[]) as Row);
  }

  /** Runs `work` in one transaction. If it throws, the transaction is rolled back. */
  transaction<T>(work: () => T): T {
    this.raw.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#commit();
      return result;
    } catch (error) {
      if (this.raw.isTransaction) this.raw.exec('ROLLBACK');
      throw error;
    }
  }

  #commit(): void {
    const changes = this.#pairing && this.#totalChanges();
    if (!this.#pairing || changes === undefined || changes === this.#changes) {
      this.raw.exec('COMMIT');
      return;
    }
    const { file, newestCommits } = this.#pairing;
    // No other connection writes the file meanwhile.
    const own = nextCommit(this.#lastCommit ?? commitNumbersIn(this).own);
    const other = newestCommits.get(file === 'ledger' ? 'store' : 'ledger');
    this.raw.exec(`${settingCommitNumbers({ own, other })}; COMMIT`);
    this.#lastCommit = own;
    this.#changes = changes;
    if (!this.#syncsLater) this.#publish(own);
  }

  #totalChanges(): number {
    return this.prepare('SELECT total_changes() AS changes').get()?.changes as number;
  }

  /** Publishes a commit number that is on the disk, so that the other file may depend on it. */
  #publish(commit: number | undefined): void {
    if (this.#pairing && commit !== undefined) this.#pairing.newestCommits.set(this.#pairing.file, commit);
  }

  /** Replaces the commit numbers in the file, which otherwise rise with each transaction. */
  setCommitNumbers(numbers: CommitNumbers): void {
    this.raw.exec(`BEGIN IMMEDIATE; ${settingCommitNumbers(numbers)}; COMMIT`);
  }

  /**
   * Begins a read transaction, and returns the commit numbers in its snapshot. Until `endReading`, all reads see this
   * snapshot, and SQLite cannot reuse the journal.
   */
  beginReading(): CommitNumbers {
    this.raw.exec('BEGIN');
    // SQLite takes the snapshot at the first read.
    return commitNumbersIn(this);
  }

  endReading(): void {
    this.raw.exec('ROLLBACK');
  }

  /** Returns the size of the file, with the pages that are only in the journal. */
  bytes(): number {
    return this.#pragma('page_count') * this.#pragma('page_size');
  }

  #pragma(name: string): number {
    return Object.values(this.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;
  }

  /**
   * Copies the file, as it is at the moment of this connection's read transaction, into an empty file. Within a read
   * transaction, SQLite's backup does not restart when another process commits.
   *
   * @param onStep called after each step of 4 MB, with the bytes of the file that are still to copy. If it throws, the
   *   copy ends with its error
   * @throws UnusableDatabase
   */
  async copyTo(copy: string, onStep: (remaining: number) => void): Promise<void> {
    const pageBytes = this.#pragma('page_size');
    const progress = ({ remainingPages }: { remainingPages: number }) => onStep(remainingPages * pageBytes);
    try {
      await backup(this.raw, copy, { rate: copiedPagesAtOnce, progress });
    } catch (error) {
      throw explained(copy, error);
    }
  }

  /**
   * Syncs committed data without blocking this thread. Resolves when the data is on the disk. Commits are in the
   * journal (https://sqlite.org/wal.html), so this syncs all that SQLite itself would sync at a commit with FULL.
   */
  async sync(): Promise<void> {
    this.#journal ??= openSync(this.#journalPath, 'r+');
    const commit = this.#lastCommit;
    await syncData(this.#journal);
    this.#publish(commit);
  }

  /** Returns a kysely instance that uses the same connection. */
  kysely<Schema>(): Kysely<Schema> {
    return new Kysely<Schema>({
      dialect: new SqliteDialect({
        database: {
          close: () => undefined,
          prepare: (sql) => this.#preparedForKysely(sql),
        },
      }),
    });
  }

  /** Returns a statement for kysely. */
  #preparedForKysely(sql: string): SqliteStatement {
    let prepared = this.#forKysely.get(sql);
    if (!prepared) {
      const statement = this.prepare(sql);
      prepared = {
        // Kept, because `columns()` takes longer than to read a row.
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
        run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
        iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
      };
      this.#forKysely.set(sql, prepared);
    }
    return prepared;
  }

  /**
   * Brings the schema up to date, in one transaction. Kysely would commit each statement on its own, so a process that
   * is killed meanwhile, or a damaged journal, would leave tables that the next attempt cannot create again.
   */
  async migrate(schema: DatabaseSchema): Promise<void> {
    try {
      this.raw.exec('BEGIN IMMEDIATE');
      for (const [owner, migrations] of Object.entries(schema)) {
        const { error } = await new Migrator({
          db: this.kysely(),
          provider: { getMigrations: async () => migrations },
          migrationTableName: `${owner}_migrations`,
          migrationLockTableName: `${owner}_migrations_lock`,
        }).migrateToLatest();
        if (error) throw error;
      }
      this.raw.exec('COMMIT');
    } catch (error) {
      if (this.raw.isTransaction) this.raw.exec('ROLLBACK');
      throw explained(this.#path, error);
    }
    this.#changes = this.#totalChanges();
  }

  close(): void {
    if (this.#journal !== undefined) closeSync(this.#journal);
    this.#journal = undefined;
    if (this.raw.isOpen) this.raw.close();
  }
}

/**
 * Returns the statement with the expression `? + 0` in place of each parameter that is a limit. SQLite plans a statement
 * by the value of such a parameter, so it prepares the statement again whenever the parameter is bound, even to the same
 * value. That took 20 to 60 µs in each search.
 */
const withoutBareLimit = (sql: string): string => sql.replace(/\blimit \?\d*/gi, '$& + 0');

function rowOf(names: string[], values: SQLOutputValue[]): Record<string, SQLOutputValue> {
  const row: Record<string, SQLOutputValue> = {};
  for (let i = 0; i < names.length; i++) row[names[i] as string] = values[i] as SQLOutputValue;
  return row;
}

function commitNumbersIn(database: { prepare(sql: string): StatementSync }): CommitNumbers {
  const { user_version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  const { application_id } = database.prepare('PRAGMA application_id').get() as { application_id: number };
  return { own: user_version, other: application_id };
}

const settingCommitNumbers = ({ own, other }: CommitNumbers): string =>
  `PRAGMA user_version = ${own}; PRAGMA application_id = ${other}`;

/**
 * Returns the primary code of a SQLite error, which is the lowest byte of its extended code
 * (https://sqlite.org/rescode.html).
 */
const primaryCode = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;

const codes = {
  perm: 3,
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADatabase: 26,
};

/** The code of a failure to enlarge the shared-memory file (SQLITE_IOERR_SHMSIZE). Its only cause is a full disk. */
const sharedMemorySizeError = codes.ioError | (19 << 8);

/** Reasons why a file cannot be read or written, by the system's error code. */
const systemReasons: Record<string, string> = {
  EISDIR: 'is a folder, or the journal beside it is.',
  EACCES: 'cannot be read or written: permission denied.',
  EPERM: 'cannot be read or written: permission denied.',
  EROFS: 'cannot be written: the file system is read-only.',
  ENOSPC: 'cannot be written: the disk is full.',
  EDQUOT: 'cannot be written: the disk quota is used up.',
  EIO: 'cannot be read or written: the disk reports an error.',
};

/** Returns an error that explains the failure if its cause is the file or the machine, otherwise the error itself. */
function explained(path: string, error: unknown): unknown {
  const because = (reason: string) => new UnusableDatabase(path, reason, { cause: error });
  const extended = (error as { errcode?: unknown }).errcode;
  switch (primaryCode(error)) {
    case codes.corrupt:
    case codes.notADatabase:
      return damaged(path, error);
    case codes.busy:
    case codes.locked:
      return because('is in use by another process. Stop it first, or use another data folder.');
    case codes.cantOpen:
    case codes.readOnly:
    case codes.perm:
      return because('cannot be opened for writing.');
    case codes.full:
      return because('cannot be written: the disk is full.');
    case codes.ioError:
      return because(
        extended === sharedMemorySizeError
          ? 'cannot be opened: the disk is full.'
          : `cannot be read or written (SQLite error ${extended}): check the permissions of the data folder and its disk.`,
      );
  }
  const reason = systemReasons[(error as NodeJS.ErrnoException).code ?? ''];
  return reason ? because(reason) : error;
}

/** Returns whether another connection holds a lock that the call needed. */
export const isLocked = (error: unknown): boolean =>
  [codes.busy, codes.locked].some((code) => primaryCode(error) === code);

/** Returns whether the cause is the machine (disk full, lock, input or output error), so that a retry may succeed. */
export const isSqliteOutage = (error: unknown): boolean => {
  const code = primaryCode(error);
  return (
    code !== undefined &&
    [codes.busy, codes.locked, codes.ioError, codes.full, codes.readOnly, codes.cantOpen].includes(code)
  );
};
