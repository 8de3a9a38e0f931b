import { ledgerMigrations } from '../../lib/ledger/sqlite/schema.ts';
import { SqliteLedger } from '../../lib/ledger/sqlite/sqlite-ledger.ts';
import type { Write } from '../../lib/model/write.ts';
import { decodeWrites } from '../../lib/queue/records.ts';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import { searchMigrations } from '../../lib/search/sqlite/schema.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { storeMigrations } from '../../lib/store/sqlite/schema.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { newClock } from '../support/basics/clock.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';
import { type LedgerUnderTest, ledgerContract } from './suites/ledger.ts';
import { ledgerRestoreContract } from './suites/ledger-restore.ts';
import { type QueueSettings, type QueueUnderTest, queueContract } from './suites/queue.ts';
import { reconcileContract } from './suites/reconcile.ts';

// The ledger and the queue of the embedded engine on real files, and `reconcile` over all its parts.

function openLedger(file: SqliteFile, now: () => number, drained: Write[] = []): LedgerUnderTest {
  const commits = new GroupCommit(file.database);
  const queue = new SqliteQueue(commits, 'store', { now });
  return {
    ledger: new SqliteLedger(commits, queue, { now, elapsed: now }),
    writes: async () => {
      const deliveries = await queue.receive(10_000);
      drained.push(...deliveries.flatMap(({ body }) => decodeWrites(body)));
      await queue.acknowledge(deliveries.map(({ receipt }) => receipt));
      return [...drained];
    },
    refusesCreatesBelowDeletedApplication: 'at once',
    reopen: async () => openLedger(await file.reopen(), now, drained),
    close: async () => file.remove(),
  };
}

function openQueue(file: SqliteFile, settings: QueueSettings, clock = newClock()): QueueUnderTest {
  const options = {
    visibilityMs: settings.visibilitySeconds * 1_000,
    maxReceives: settings.maxReceives,
    now: clock,
    elapsed: clock,
  };
  return {
    queue: new SqliteQueue(new GroupCommit(file.database), 'test', options),
    now: clock,
    elapse: async (seconds) => clock.advance(seconds * 1_000),
    reopen: async () => openQueue(await file.reopen(), settings, clock),
    close: async () => file.remove(),
  };
}

const ledgerSchema = { ledger: ledgerMigrations, queue: queueMigrations };
const newLedger = async (now: () => number) => openLedger(await openSqliteFile(ledgerSchema), now);
ledgerContract('embedded', newLedger);
ledgerRestoreContract('embedded', newLedger);
queueContract('embedded', async (settings) => openQueue(await openSqliteFile(ledgerSchema), settings));
reconcileContract('embedded', async (now) => {
  const ledgerFile = await openSqliteFile(ledgerSchema);
  const storeFile = await openSqliteFile({ store: storeMigrations, search: searchMigrations });
  const commits = new GroupCommit(ledgerFile.database);
  const queue = new SqliteQueue(commits, 'store', { now });
  return {
    services: {
      ledger: new SqliteLedger(commits, queue, { now }),
      store: new SqliteStore(storeFile.database),
      searchIndex: new SqliteSearchIndex(storeFile.database),
      storeQueue: queue,
      waitingWrites: queue,
    },
    queued: async () => {
      const deliveries = await queue.receive(100_000);
      await queue.acknowledge(deliveries.map(({ receipt }) => receipt));
      return deliveries.flatMap(({ body }) => decodeWrites(body));
    },
    // Messages in flight are still in the queue, but are not delivered.
    whileWritesWait: async (work) => {
      await work();
      await queue.receive(100_000);
    },
    addDeadLetters: (deadLetters) => queue.addDeadLetters(deadLetters),
    runOnStore: async (statement) => storeFile.database.raw.exec(statement),
    refreshed: async () => undefined,
    close: async () => {
      ledgerFile.remove();
      storeFile.remove();
    },
  };
});
