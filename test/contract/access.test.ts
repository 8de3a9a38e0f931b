import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import { ledgerMigrations } from '../../lib/ledger/sqlite/schema.ts';
import { SqliteLedger } from '../../lib/ledger/sqlite/sqlite-ledger.ts';
import { decodeWrites } from '../../lib/queue/records.ts';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import { searchMigrations } from '../../lib/search/sqlite/schema.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { storeMigrations } from '../../lib/store/sqlite/schema.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { SimulatedTable } from '../simulation/dynamodb.ts';
import type { Caller } from '../simulation/process.ts';
import { openSqliteFile } from '../support/servers/sqlite-file.ts';
import { accessContract } from './suites/access.ts';

const openStore = async () => {
  const file = await openSqliteFile({ store: storeMigrations, search: searchMigrations });
  return { file, store: new SqliteStore(file.database), searchIndex: new SqliteSearchIndex(file.database) };
};

accessContract('embedded', async () => {
  const ledgerFile = await openSqliteFile({ ledger: ledgerMigrations, queue: queueMigrations });
  const { file, store, searchIndex } = await openStore();
  const commits = new GroupCommit(ledgerFile.database);
  const queue = new SqliteQueue(commits, 'store');
  return {
    services: { ledger: new SqliteLedger(commits, queue), store, searchIndex },
    isRemote: false,
    accepted: async () => {
      const deliveries = await queue.receive(100_000);
      await queue.acknowledge(deliveries.map(({ receipt }) => receipt));
      return deliveries.flatMap(({ body }) => decodeWrites(body));
    },
    refreshed: async () => undefined,
    close: async () => {
      ledgerFile.remove();
      file.remove();
    },
  };
});

accessContract('simulated DynamoDB', async () => {
  const { file, store, searchIndex } = await openStore();
  const caller: Caller = { task: 'contract', call: async (_part, effect) => effect() };
  // Its clock is a hundred times as fast, because the tests read one application more often than DynamoDB allows.
  const table = new DynamodbTable(new SimulatedTable(() => Date.now() * 100).client(caller), 'ledger');
  const sent: string[] = [];
  const parked = new ParkedWrites(table, { send: async (bodies) => void sent.push(...bodies) });
  return {
    services: { ledger: new DynamodbLedger(table, parked), store, searchIndex },
    isRemote: false,
    accepted: async () => sent.splice(0).flatMap((body) => decodeWrites(body)),
    refreshed: async () => undefined,
    close: async () => file.remove(),
  };
});
