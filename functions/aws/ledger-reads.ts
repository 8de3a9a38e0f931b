import { DynamodbLedgerReads } from '../../lib/ledger/dynamodb/dynamodb-ledger-reads.ts';
import { openLedgerTable, tableVariables } from './ledger-table.ts';
import { provider } from './provider.ts';

/** The ledger in DynamoDB for functions that only read it. */
export const ledgerReads = provider({
  variables: tableVariables,
  create: (environment) => {
    const { table, applications } = openLedgerTable(environment);
    return new DynamodbLedgerReads(table, applications);
  },
});
