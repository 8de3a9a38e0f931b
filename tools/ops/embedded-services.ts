import { existsSync } from 'node:fs';
import path from 'node:path';
import { perQueue } from '../../functions/queues.ts';
import { SqliteLedger } from '../../lib/ledger/sqlite/sqlite-ledger.ts';
import { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import { SqliteReindexing } from '../../lib/search/sqlite/reindex.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { UnusableDatabase } from '../../lib/sqlite/database.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { type EngineFiles, openEngineFiles, openSnapshot } from '../../local/engine-files.ts';
import { CommandProblem } from '../cli/problem.ts';
import type { OpenOptions, OpsServices } from './engine.ts';

/** Returns whether the folder has no chat system yet. It need not exist. */
export const isNewFolder = (dataDir: string): boolean =>
  !['ledger.db', 'store.db'].some((file) => existsSync(path.join(dataDir, file)));

type OpenFiles = Pick<EngineFiles, 'ledger' | 'queues' | 'storeDatabase' | 'inconsistency' | 'markConsistent'> & {
  close: () => Promise<void>;
};

/**
 * Opens a data folder of the embedded engine.
 *
 * @param options.readOnly do not write, and let a chat system run on the folder meanwhile
 * @param options.onLostCommits what to do when one of its two files lacks commits that the other one builds on
 * @param options.onNewFolder what to do when it does not contain a chat system
 * @throws CommandProblem when the folder is refused, or a chat system is running on it and the command writes
 */
export async function openEmbedded(
  dataDir: string,
  { readOnly = false, onLostCommits = 'refuse', onNewFolder = 'refuse' }: OpenOptions,
): Promise<OpsServices> {
  if (onNewFolder === 'refuse') requireSystem(dataDir);
  const files = (readOnly && openForReading(dataDir, onLostCommits)) || (await openForWriting(dataDir, onLostCommits));
  const { ledger, queues, storeDatabase, inconsistency } = files;
  const store = new SqliteStore(storeDatabase);
  const searchIndex = new SqliteSearchIndex(storeDatabase);
  const reindexing = new SqliteReindexing(storeDatabase, store, searchIndex);
  return {
    ledger,
    store,
    searchIndex,
    queues,
    waitingWrites: queues.store,
    reindexing,
    ...(inconsistency && { inconsistency: { reason: inconsistency, markConsistent: () => files.markConsistent() } }),
    close: () => files.close(),
  };
}

/** @throws CommandProblem when the folder does not contain a chat system */
export function requireSystem(dataDir: string): void {
  if (isNewFolder(dataDir))
    throw new CommandProblem(`${dataDir} does not contain a chat system; pass its data folder with --data-dir.`);
}

/** Opens the files beside a system that may be running. Returns undefined if they need a migration first. */
function openForReading(dataDir: string, onLostCommits: 'refuse' | 'repair'): OpenFiles | undefined {
  const { ledger, store, ledgerDatabase, storeDatabase, inconsistency, close } = asProblem(dataDir, () =>
    openSnapshot(dataDir),
  );
  if (inconsistency && onLostCommits === 'refuse') throw inconsistency;
  if (!ledger.isCurrent || !store.isCurrent) {
    close();
    return undefined;
  }
  // Each query now sees the newest commits, and no transaction keeps the journals from being reused.
  for (const database of [ledgerDatabase, storeDatabase]) database.endReading();
  const commits = new GroupCommit(ledgerDatabase);
  const queues = perQueue((name) => new SqliteQueue(commits, name));
  return {
    ledger: new SqliteLedger(commits, queues.store),
    queues,
    storeDatabase,
    inconsistency: inconsistency?.message,
    markConsistent: () => Promise.reject(new Error('The files are open for reading only.')),
    close: async () => close(),
  };
}

async function openForWriting(dataDir: string, onLostCommits: 'refuse' | 'repair'): Promise<OpenFiles> {
  try {
    return await openEngineFiles(dataDir, onLostCommits);
  } catch (error) {
    throw problemOf(dataDir, error);
  }
}

function asProblem<T>(dataDir: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw problemOf(dataDir, error);
  }
}

/** Returns the error that says what to do when a system is running on the folder, otherwise the error itself. */
function problemOf(dataDir: string, error: unknown): unknown {
  if (!(error instanceof UnusableDatabase && error.message.includes('in use'))) return error;
  return new CommandProblem(
    `A chat system is running on ${dataDir}: stop it (Ctrl-C in the terminal of script/start), run this command again, then restart it.`,
  );
}
