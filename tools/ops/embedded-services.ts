import { existsSync } from 'node:fs';
import path from 'node:path';
import { SqliteReindexing } from '../../lib/search/sqlite/reindex.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { UnusableDatabase } from '../../lib/sqlite/database.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { openEngineFiles } from '../../local/engine-files.ts';
import { CommandProblem } from '../cli/problem.ts';
import type { OpenOptions, OpsServices } from './engine.ts';

/** Returns whether the folder has no chat system yet. It need not exist. */
export const isNewFolder = (dataDir: string): boolean =>
  !['ledger.db', 'store.db'].some((file) => existsSync(path.join(dataDir, file)));

/**
 * Opens a data folder of the embedded engine.
 *
 * @param options.onLostCommits what to do when one of its two files lacks commits that the other one builds on
 * @param options.onNewFolder what to do when it does not contain a chat system
 * @throws CommandProblem when the folder is refused, or a chat system is running on it
 */
export async function openEmbedded(
  dataDir: string,
  { onLostCommits = 'refuse', onNewFolder = 'refuse' }: OpenOptions,
): Promise<OpsServices> {
  if (onNewFolder === 'refuse' && isNewFolder(dataDir))
    throw new CommandProblem(`${dataDir} does not contain a chat system; pass its data folder with --data-dir.`);
  const files = await openEngineFiles(dataDir, onLostCommits).catch((error: unknown) => {
    if (error instanceof UnusableDatabase && error.message.includes('in use'))
      throw new CommandProblem(
        `A chat system is running on ${dataDir}: stop it (Ctrl-C in the terminal of script/start), run this command again, then restart it.`,
      );
    throw error;
  });
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
