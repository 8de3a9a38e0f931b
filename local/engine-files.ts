import path from 'node:path';
import { EmbeddedLedger } from '../lib/ledger/embedded.ts';
import { ledgerMigrations } from '../lib/ledger/embedded-schema.ts';
import { EmbeddedQueue } from '../lib/queue/embedded.ts';
import { queueMigrations } from '../lib/queue/embedded-schema.ts';
import { searchMigrations } from '../lib/search/embedded-schema.ts';
import { Database, UnusableDatabase } from '../lib/sqlite/database.ts';
import { GroupCommit } from '../lib/sqlite/group-commit.ts';
import { storeMigrations } from '../lib/store/embedded-schema.ts';
import { makeDataFolder } from './data-folder.ts';

const ledgerSchema = { ledger: ledgerMigrations, queue: queueMigrations };
const storeSchema = { store: storeMigrations, search: searchMigrations };

/** The two files of a data folder, open for this process alone. */
export interface EngineFiles {
  storePath: string;
  storeDatabase: Database;
  queues: { store: EmbeddedQueue; search: EmbeddedQueue };
  ledger: EmbeddedLedger;
  /** Waits for the commits under way, and closes both. */
  close(): Promise<void>;
}

/**
 * Opens the files of a data folder, which it makes when there is none.
 *
 * @throws UnusableDatabase, or the system's error when the folder can't be made; nothing has been changed then
 */
export async function openEngineFiles(dataDir: string): Promise<EngineFiles> {
  const ledgerPath = path.join(dataDir, 'ledger.db');
  const storePath = path.join(dataDir, 'store.db');
  const found = {
    [ledgerPath]: Database.check(ledgerPath, ledgerSchema, 'applications'),
    [storePath]: Database.check(storePath, storeSchema, 'applications'),
  };
  const lost = Object.keys(found).find((file) => found[file] === 'nothing');
  // Numbers would be given out again, or accepted messages be gone without a word.
  if (lost && Object.values(found).includes('data'))
    throw new UnusableDatabase(lost, 'is missing or empty, though the one beside it has data; restore both.');
  makeDataFolder(dataDir);

  const ledgerDatabase = Database.open(ledgerPath, { exclusive: true, syncsLater: true });
  await ledgerDatabase.migrate(ledgerSchema);
  const storeDatabase = Database.open(storePath);
  await storeDatabase.migrate(storeSchema);

  const commits = new GroupCommit(ledgerDatabase);
  const queues = { store: new EmbeddedQueue(commits, 'store'), search: new EmbeddedQueue(commits, 'search') };
  return {
    storePath,
    storeDatabase,
    queues,
    ledger: new EmbeddedLedger(commits, queues.store),
    close: async () => {
      await commits.run(() => undefined);
      storeDatabase.close();
      ledgerDatabase.close();
    },
  };
}
