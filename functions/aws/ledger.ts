import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { openLedgerTable } from './ledger-table.ts';
import { parkedWrites } from './parked-writes.ts';
import { provider } from './provider.ts';

/** The ledger in DynamoDB, which sends accepted writes to the store queue. */
export const ledger = provider({
  variables: parkedWrites.variables,
  create: async (environment) => {
    const { table, applications } = openLedgerTable(environment);
    return new DynamodbLedger(table, await parkedWrites.create(environment), { applications });
  },
});
