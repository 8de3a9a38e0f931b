import type { WorkerServices } from '../../functions/runtime/services.ts';
import type { DeadLetter } from '../../lib/queue/queue.ts';
import { searchMigrations } from '../../lib/search/sqlite/schema.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { storeMigrations } from '../../lib/store/sqlite/schema.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { openSqliteFile, type SqliteFile } from './sqlite-file.ts';

export interface TestServices {
  /** A real store and search index; what is sent and buried is kept here, and the ledger knows nothing. */
  services: WorkerServices;
  file: SqliteFile;
  /** Record bodies sent to the search queue. */
  sent: string[];
  buried: { store: DeadLetter[]; search: DeadLetter[] };
}

/** What the workers work with, on a file of its own. */
export async function openWorkerServices(): Promise<TestServices> {
  const file = await openSqliteFile({ store: storeMigrations, search: searchMigrations });
  const sent: string[] = [];
  const buried: TestServices['buried'] = { store: [], search: [] };
  const services: WorkerServices = {
    store: new SqliteStore(file.database),
    searchIndex: new SqliteSearchIndex(file.database),
    ledger: { counters: async (parents) => parents.map(() => undefined), purge: async () => 0 },
    storeQueue: { bury: async (letters) => void buried.store.push(...letters) },
    searchQueue: {
      send: async (bodies) => void sent.push(...bodies),
      bury: async (letters) => void buried.search.push(...letters),
    },
  };
  return { services, file, sent, buried };
}
