import { perQueue, perQueueService, type QueueName } from '../../../functions/queues.ts';
import type { WorkerServices } from '../../../functions/runtime/services.ts';
import type { DeadLetter } from '../../../lib/queue/queue.ts';
import { searchMigrations } from '../../../lib/search/sqlite/schema.ts';
import { SqliteSearchIndex } from '../../../lib/search/sqlite/sqlite-index.ts';
import { storeMigrations } from '../../../lib/store/sqlite/schema.ts';
import { SqliteStore } from '../../../lib/store/sqlite/sqlite-store.ts';
import { openSqliteFile, type SqliteFile } from './sqlite-file.ts';

export interface TestServices {
  /** A real store and search index. Sent records and dead letters are kept in memory. The ledger is empty. */
  services: WorkerServices;
  file: SqliteFile;
  /** The record bodies that were sent to each queue. */
  sentTo: Record<QueueName, string[]>;
  /** The record bodies that were sent to the search queue. */
  sent: string[];
  deadLetters: Record<QueueName, DeadLetter[]>;
}

/** Opens the workers' services on a new file. */
export async function openWorkerServices(): Promise<TestServices> {
  const file = await openSqliteFile({ store: storeMigrations, search: searchMigrations });
  const sentTo = perQueue((): string[] => []);
  const deadLetters = perQueue((): DeadLetter[] => []);
  const services: WorkerServices = {
    store: new SqliteStore(file.database),
    searchIndex: new SqliteSearchIndex(file.database),
    ledger: { counters: async (parents) => parents.map(() => undefined), purge: async () => 0 },
    ...perQueueService((name) => ({
      send: async (bodies: string[]) => void sentTo[name].push(...bodies),
      addDeadLetters: async (added: DeadLetter[]) => void deadLetters[name].push(...added),
    })),
  };
  return { services, file, sentTo, sent: sentTo.search, deadLetters };
}
