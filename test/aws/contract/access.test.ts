import { DynamodbLedger } from '../../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ParkedWrites } from '../../../lib/ledger/dynamodb/parked-writes.ts';
import { limits } from '../../../lib/limits.ts';
import { decodeWrites } from '../../../lib/queue/records.ts';
import { OpensearchIndex } from '../../../lib/search/opensearch/opensearch-index.ts';
import { MysqlStore, openMysql } from '../../../lib/store/mysql/mysql-store.ts';
import { accessContract } from '../../contract/suites/access.ts';
import { openLedgerTable } from '../../support/servers/ledger-table.ts';
import { newStoreDatabase } from '../../support/servers/mysql-database.ts';
import { newIndex } from '../../support/servers/opensearch-index.ts';

accessContract('AWS', async () => {
  const [table, database, index] = [await openLedgerTable(), await newStoreDatabase(), await newIndex()];
  const db = openMysql(database.url, { connections: 4, timeouts: limits.sqlMs.work });
  const sent: string[] = [];
  const parked = new ParkedWrites(table.table, { send: async (bodies) => void sent.push(...bodies) });
  return {
    services: {
      ledger: new DynamodbLedger(table.table, parked),
      store: new MysqlStore(db),
      searchIndex: new OpensearchIndex(index.client, index.alias),
    },
    isRemote: true,
    accepted: async () => sent.splice(0).flatMap((body) => decodeWrites(body)),
    refreshed: async () => {
      await index.client.indices.refresh({ index: index.alias });
    },
    close: async () => {
      await db.destroy();
      await Promise.all([table.remove(), database.drop(), index.remove()]);
    },
  };
});
