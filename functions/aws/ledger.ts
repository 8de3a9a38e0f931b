import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ledgerVariables, openLedgerTable } from './ledger-table.ts';
import { provider } from './provider.ts';

const opened = new Map<string, DynamodbLedger>();

/** The ledger in DynamoDB, which sends accepted writes to the store queue. Other services share it, with its connections. */
export const ledger = provider({
  variables: ledgerVariables,
  create: (environment) => {
    const key = `${environment.LEDGER_TABLE} ${environment.STORE_QUEUE_URL}`;
    const known = opened.get(key);
    if (known) return known;
    const { table, parked } = openLedgerTable(environment);
    const created = new DynamodbLedger(table, parked);
    opened.set(key, created);
    return created;
  },
});
