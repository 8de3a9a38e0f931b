import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ledgerVariables, openLedgerTable } from './ledger-table.ts';
import { provider } from './provider.ts';

/** The ledger in DynamoDB, which sends accepted writes to the store queue. */
export const ledger = provider({
  variables: ledgerVariables,
  create: (environment) => {
    const { table, parked } = openLedgerTable(environment);
    return new DynamodbLedger(table, parked);
  },
});
