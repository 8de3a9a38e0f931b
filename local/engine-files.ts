import path from 'node:path';
import { perQueue, type QueueName } from '../functions/queues.ts';
import { ledgerMigrations } from '../lib/ledger/sqlite/schema.ts';
import { SqliteLedger } from '../lib/ledger/sqlite/sqlite-ledger.ts';
import { queueMigrations } from '../lib/queue/sqlite/schema.ts';
import { SqliteQueue } from '../lib/queue/sqlite/sqlite-queue.ts';
import { searchMigrations } from '../lib/search/sqlite/schema.ts';
import { isLater, later, NewestCommits, nextCommit } from '../lib/sqlite/commit-numbers.ts';
import { Database, type FileState, UnusableDatabase } from '../lib/sqlite/database.ts';
import { FileLock } from '../lib/sqlite/file-lock.ts';
import { GroupCommit } from '../lib/sqlite/group-commit.ts';
import { storeMigrations } from '../lib/store/sqlite/schema.ts';
import { makeDataFolder } from '../tools/cli/data-folder.ts';
import { folderMigrations, identify } from './folder-id.ts';
import { LedgerMark, type Reached } from './ledger-mark.ts';

const ledgerSchema = { ledger: ledgerMigrations, queue: queueMigrations, folder: folderMigrations };
const storeSchema = { store: storeMigrations, search: searchMigrations, folder: folderMigrations };

/**
 * How often `openSnapshot` tries to read both files at one moment. An attempt takes well below a millisecond, and fails
 * only if the engine commits to both files within it.
 */
const snapshotAttempts = 1_000;

/**
 * Size of the page cache of the ledger's connection, in kB. SQLite fills it with the records of the queue, which it
 * reads only once. With 16 MB, the process took 12 MB more memory and accepted writes no faster.
 */
const ledgerCacheKb = 4_000;

/** The two files of a data folder. No other process writes them while they are open. */
export interface EngineFiles {
  storePath: string;
  storeDatabase: Database;
  /** The memory of the files' `NewestCommits`, for every thread that writes one of them. */
  newestCommits: SharedArrayBuffer;
  queues: Record<QueueName, SqliteQueue>;
  ledger: SqliteLedger;
  /** Why the next start will refuse the files, as a sentence; undefined if they are consistent. */
  inconsistency: string | undefined;
  /** Marks both files as consistent after a repair, so that the next start accepts them. */
  markConsistent(): Promise<void>;
  /** Waits for the commits in progress, and closes both files. */
  close(): Promise<void>;
}

/** What the files of a data folder hold. */
export interface FoundFiles {
  dataDir: string;
  ledgerPath: string;
  storePath: string;
  ledger: FileState;
  store: FileState;
  /** What ledger.mark says. */
  reached: Reached | undefined;
}

/** The two files of a data folder at one moment, open for reading, each in a read transaction. */
export interface FilesSnapshot extends FoundFiles {
  ledgerDatabase: Database;
  storeDatabase: Database;
  /** Why the next start will refuse the files; undefined if they are consistent. */
  inconsistency: UnusableDatabase | undefined;
  close(): void;
}

/**
 * Opens the files of a data folder, and creates the folder if it does not exist.
 *
 * @param onInconsistency what to do when one of the files has lost commits: `repair` opens them, and remembers the
 *   inconsistency until `markConsistent` is called
 * @throws UnusableDatabase, or the system's error when the folder cannot be created; nothing has been changed then
 */
export async function openEngineFiles(
  dataDir: string,
  onInconsistency: 'refuse' | 'repair' = 'refuse',
): Promise<EngineFiles> {
  makeDataFolder(dataDir);
  const lock = lockFolder(dataDir);
  try {
    return await openLocked(dataDir, onInconsistency, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Opens the files of a data folder for reading, at one moment. Another process may use and change the folder meanwhile.
 * This process must have no other connection to the files. Nothing in the folder is changed, but SQLite may create its
 * scratch files.
 *
 * @param options.beforeStore called between the two reads; only tests set it
 * @throws UnusableDatabase when a file cannot be used, whether the two files are consistent or not
 */
export function openSnapshot(dataDir: string, options: { beforeStore?: () => void } = {}): FilesSnapshot {
  const found = findFiles(dataDir, { shared: true });
  requireBoth(found);
  const ledgerDatabase = Database.open(found.ledgerPath, { readOnly: true });
  const storeDatabase = Database.open(found.storePath, { readOnly: true });
  for (let attempt = 1; ; attempt++) {
    // Read ledger.mark first, then the ledger, then the store. So every commit that ledger.mark or the ledger refers to
    // is in what is read after it. The store may refer to a commit of the ledger that was made after the ledger was
    // read. Then the files look inconsistent, and the next attempt reads everything again.
    const reached = LedgerMark.read(dataDir);
    const ledger = { ...found.ledger, commitNumbers: ledgerDatabase.beginReading() };
    options.beforeStore?.();
    const store = { ...found.store, commitNumbers: storeDatabase.beginReading() };
    const now = { ...found, ledger, store, reached };
    const inconsistency = inconsistencyIn(now);
    if (!inconsistency || attempt === snapshotAttempts)
      return {
        ...now,
        ledgerDatabase,
        storeDatabase,
        inconsistency,
        close: () => {
          ledgerDatabase.close();
          storeDatabase.close();
        },
      };
    ledgerDatabase.endReading();
    storeDatabase.endReading();
  }
}

/**
 * Checks a data folder that no process uses: all pages and SQL indexes of its two files, and whether the files belong
 * together.
 *
 * @throws UnusableDatabase
 */
export function checkWhole(dataDir: string): FoundFiles {
  const found = findFiles(dataDir, { whole: true });
  requireBoth(found);
  const inconsistency = inconsistencyIn(found);
  if (inconsistency) throw inconsistency;
  return found;
}

/**
 * Takes the lock of a data folder. It is on a file of its own, so that other processes can read ledger.db meanwhile.
 *
 * @throws UnusableDatabase when another process has it
 */
function lockFolder(dataDir: string): FileLock {
  const lock = FileLock.take(path.join(dataDir, 'lock'));
  if (lock) return lock;
  throw new UnusableDatabase(
    path.join(dataDir, 'ledger.db'),
    'is in use by another process. Stop it first, or use another data folder.',
  );
}

async function openLocked(dataDir: string, onInconsistency: 'refuse' | 'repair', lock: FileLock): Promise<EngineFiles> {
  const found = findFiles(dataDir);
  const { ledgerPath, storePath } = found;
  requireBoth(found);
  const inconsistency = inconsistencyIn(found);
  if (inconsistency && onInconsistency === 'refuse') throw inconsistency;

  const newestCommits = new NewestCommits();
  newestCommits.set('ledger', found.ledger.commitNumbers.own);
  newestCommits.set('store', found.store.commitNumbers.own);
  // Commit numbers do not rise until the repair is complete. If they did, and the repair stopped half-way, the next
  // start would find no inconsistency although commits are still missing.
  const pairing = (file: 'ledger' | 'store') => (inconsistency ? undefined : { file, newestCommits });
  const ledgerDatabase = Database.open(ledgerPath, {
    syncsLater: true,
    cacheKb: ledgerCacheKb,
    pairing: pairing('ledger'),
  });
  await ledgerDatabase.migrate(ledgerSchema);
  const storeDatabase = Database.open(storePath, { pairing: pairing('store') });
  await storeDatabase.migrate(storeSchema);
  const id = identify(ledgerDatabase, storeDatabase);
  // A killed process may have left unsynced commits. Sync both files before either refers to the other.
  await ledgerDatabase.sync();
  await storeDatabase.sync();
  const ledgerMark = new LedgerMark(dataDir, id);

  const commits = new GroupCommit(ledgerDatabase);
  if (!inconsistency) commits.onCommit(() => ledgerMark.write(newestCommits.get('ledger')));
  const queues = perQueue((name) => new SqliteQueue(commits, name));
  return {
    storePath,
    storeDatabase,
    newestCommits: newestCommits.shared,
    queues,
    ledger: new SqliteLedger(commits, queues.store),
    inconsistency: inconsistency?.message,
    markConsistent: async () => {
      const ledger = nextCommit(later(reachedBy(found), found.store.commitNumbers.other));
      const store = nextCommit(later(found.store.commitNumbers.own, found.ledger.commitNumbers.other));
      ledgerDatabase.setCommitNumbers({ own: ledger, other: store });
      await ledgerDatabase.sync();
      storeDatabase.setCommitNumbers({ own: store, other: ledger });
      ledgerMark.write(ledger);
    },
    close: async () => {
      await commits.run(() => undefined);
      storeDatabase.close();
      ledgerDatabase.close();
      ledgerMark.close();
      lock.release();
    },
  };
}

function findFiles(dataDir: string, check: { shared?: boolean; whole?: boolean } = {}): FoundFiles {
  const ledgerPath = path.join(dataDir, 'ledger.db');
  const storePath = path.join(dataDir, 'store.db');
  const reached = LedgerMark.read(dataDir);
  const ledger = Database.check(ledgerPath, ledgerSchema, { table: 'applications', ...check });
  const store = Database.check(storePath, storeSchema, { table: 'applications', ...check });
  return { dataDir, ledgerPath, storePath, ledger, store, reached };
}

/** Returns the commit number that the ledger is known to have reached. */
function reachedBy({ ledger, reached }: FoundFiles): number {
  const { own } = ledger.commitNumbers;
  // ledger.mark is only written after the ledger has an id. So a ledger without an id has lost the commit that stored
  // it, and all later commits.
  const isOfThisLedger = reached && (ledger.folder === undefined || reached.folder === ledger.folder);
  return isOfThisLedger ? later(own, reached.commit) : own;
}

/**
 * @throws UnusableDatabase when one file has data and the other is missing or of another data folder, because numbers
 *   would be assigned twice, or accepted messages would disappear silently
 */
function requireBoth({ ledgerPath, storePath, ledger, store }: FoundFiles): void {
  const states = { [ledgerPath]: ledger.holds, [storePath]: store.holds };
  const lost = Object.keys(states).find((file) => states[file] === 'nothing');
  if (lost && Object.values(states).includes('data'))
    throw new UnusableDatabase(
      lost,
      'is missing or empty, but the other file of the data folder has data; restore both.',
    );
  if (ledger.folder !== undefined && store.folder !== undefined && ledger.folder !== store.folder)
    throw new UnusableDatabase(
      storePath,
      `belongs to another data folder than ${ledgerPath}; restore both files from one backup.`,
    );
}

/** Returns how one of the files has lost commits that the other depends on; undefined if they are consistent. */
function inconsistencyIn(found: FoundFiles): UnusableDatabase | undefined {
  const { dataDir, ledgerPath, storePath, ledger, store } = found;
  const repair = `restore both files from one backup, or run script/ops --data-dir ${dataDir} reconcile --repair`;
  if (isLater(store.commitNumbers.other, ledger.commitNumbers.own))
    return new UnusableDatabase(ledgerPath, `is older than ${storePath}, so numbers would be given twice; ${repair}.`);
  if (isLater(reachedBy(found), ledger.commitNumbers.own))
    return new UnusableDatabase(
      ledgerPath,
      `has lost its last commits, so accepted messages may be missing, and numbers would be given twice; ${repair}.`,
    );
  if (isLater(ledger.commitNumbers.other, store.commitNumbers.own))
    return new UnusableDatabase(
      storePath,
      `has lost commits that ${ledgerPath} relies on, so accepted messages may be missing; ${repair}, which lists what is lost.`,
    );
  return undefined;
}
