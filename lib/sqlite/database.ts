import { closeSync, fdatasync, openSync, readSync, statSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Kysely, SqliteDialect } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';

/** The migrations of each part of the program that keeps tables in a file, with versions of its own. */
export type DatabaseSchema = Record<string, Record<string, Migration>>;

/** Why a database file can't be used; `reason` completes the sentence "The database FILE …". */
export class UnusableDatabase extends Error {
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`The database ${path} ${reason}`, options);
    this.name = 'UnusableDatabase';
  }
}

/** Files up to this size are checked whole at the start, at some 500 MB/s; larger ones by their header alone. */
const wholeCheckBytes = 128 * 1024 * 1024;

/** The first 16 bytes of every database (https://sqlite.org/fileformat.html). */
const databaseHeader = 'SQLite format 3\0';

const syncData = promisify(fdatasync);

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function headerOf(path: string): string {
  const header = Buffer.alloc(databaseHeader.length);
  const file = openSync(path, 'r');
  readSync(file, header);
  closeSync(file);
  return header.toString('latin1');
}

/** Opens a database to read it. Only one whose journal has something in it leaves a trace: SQLite's scratch file. */
function openUntouched(path: string): DatabaseSync {
  const url = pathToFileURL(path);
  if (sizeOf(`${path}-wal`) === 0) url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, { readOnly: true });
}

export interface DatabaseOptions {
  readOnly?: boolean;
  /** Nobody else may use the file while it is open here. */
  exclusive?: boolean;
  /** A commit is on the disk after the next `sync`, and not before. */
  syncsLater?: boolean;
}

/** A SQLite database file with prepared statements that are kept. */
export class Database {
  readonly raw: DatabaseSync;
  readonly #journalPath: string;
  #journal: number | undefined;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(path: string, { readOnly = false, exclusive = false, syncsLater = false }: DatabaseOptions) {
    this.raw = new DatabaseSync(path, { readOnly, timeout: exclusive ? 0 : 5_000 });
    this.#journalPath = `${path}-wal`;
    if (exclusive) this.raw.exec('PRAGMA locking_mode = EXCLUSIVE');
    // An answered write must survive a power cut, so every commit is synced (FULL), unless that is done here; NORMAL still
    // syncs whatever keeps the file whole. WAL lets readers go on meanwhile.
    if (!readOnly) this.raw.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${syncsLater ? 'NORMAL' : 'FULL'}`);
    this.raw.exec('PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY');
  }

  /**
   * Opens the file, or makes it.
   *
   * @throws UnusableDatabase when the file is damaged, is no database, or is in use elsewhere
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
   * Looks whether a file is a sound database that this version of the program understands, without changing it.
   *
   * @returns what there is: no file or an empty one, a database in which the table has no rows, or one with data
   * @throws UnusableDatabase
   */
  static check(path: string, schema: DatabaseSchema, table: string): 'nothing' | 'no data' | 'data' {
    const size = sizeOf(path);
    if (size === 0) return 'nothing';
    let raw: DatabaseSync | undefined;
    try {
      // SQLite would repair a broken header from the journal, and that may be older than what was there.
      if (headerOf(path) !== databaseHeader) throw new UnusableDatabase(path, 'is damaged.');
      raw = openUntouched(path);
      if (size <= wholeCheckBytes) {
        const { quick_check } = raw.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
        if (quick_check !== 'ok') throw new UnusableDatabase(path, 'is damaged.', { cause: quick_check });
      }
      const hasTable = raw.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
      for (const [owner, migrations] of Object.entries(schema)) {
        if (!hasTable.get(`${owner}_migrations`)) continue;
        for (const { name } of raw.prepare(`SELECT name FROM ${owner}_migrations`).all())
          if (!Object.hasOwn(migrations, String(name)))
            throw new UnusableDatabase(
              path,
              'was written by a newer version of chat-system; start that version instead.',
            );
      }
      return hasTable.get(table) && raw.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get() ? 'data' : 'no data';
    } catch (error) {
      throw explained(path, error);
    } finally {
      raw?.close();
    }
  }

  /** The prepared statement of a text; prepared once. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.raw.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Runs `work` in one transaction: all of it or, when it throws, nothing. */
  transaction<T>(work: () => T): T {
    this.raw.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.raw.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.raw.isTransaction) this.raw.exec('ROLLBACK');
      throw error;
    }
  }

  /**
   * Brings to the disk what is committed, without holding up this thread: resolves when it is there. A commit is in the
   * journal (https://sqlite.org/wal.html), so syncing that is all that SQLite would do at a commit with FULL.
   */
  async sync(): Promise<void> {
    this.#journal ??= openSync(this.#journalPath, 'r+');
    await syncData(this.#journal);
  }

  /** The same database for kysely, on the same connection. */
  kysely<Schema>(): Kysely<Schema> {
    return new Kysely<Schema>({
      dialect: new SqliteDialect({
        database: {
          close: () => undefined,
          prepare: (sql) => {
            const statement = this.prepare(sql);
            return {
              reader: statement.columns().length > 0,
              all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
              run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
              iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
            };
          },
        },
      }),
    });
  }

  /** Brings the schema up to date. */
  async migrate(schema: DatabaseSchema): Promise<void> {
    for (const [owner, migrations] of Object.entries(schema)) {
      const { error } = await new Migrator({
        db: this.kysely(),
        provider: { getMigrations: async () => migrations },
        migrationTableName: `${owner}_migrations`,
        migrationLockTableName: `${owner}_migrations_lock`,
      }).migrateToLatest();
      if (error) throw error;
    }
  }

  close(): void {
    if (this.#journal !== undefined) closeSync(this.#journal);
    this.#journal = undefined;
    if (this.raw.isOpen) this.raw.close();
  }
}

/** The extended result code of SQLite's errors, the primary one in its lowest byte (https://sqlite.org/rescode.html). */
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

function explained(path: string, error: unknown): unknown {
  const code = primaryCode(error);
  if (code === codes.corrupt || code === codes.notADatabase)
    return new UnusableDatabase(path, 'is damaged.', { cause: error });
  if (code === codes.busy || code === codes.locked)
    return new UnusableDatabase(path, 'is in use by another process.', { cause: error });
  if (code === codes.cantOpen || code === codes.readOnly || code === codes.perm)
    return new UnusableDatabase(path, 'cannot be opened for writing.', { cause: error });
  return error;
}

/** Whether the failure lies with the machine (disk full, lock, input or output error) and may pass. */
export const isOutage = (error: unknown): boolean => {
  const code = primaryCode(error);
  return (
    code !== undefined &&
    [codes.busy, codes.locked, codes.ioError, codes.full, codes.readOnly, codes.cantOpen].includes(code)
  );
};
