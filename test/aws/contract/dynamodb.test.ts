import { DynamodbLedger } from '../../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ParkedWrites } from '../../../lib/ledger/dynamodb/parked-writes.ts';
import { type LedgerUnderTest, ledgerContract } from '../../contract/suites/ledger.ts';
import { ledgerRestoreContract } from '../../contract/suites/ledger-restore.ts';
import { openLedgerTable } from '../../support/servers/ledger-table.ts';

const newLedger = async (now: () => number) => {
  const { table, queue, writes, remove } = await openLedgerTable();
  const open = (): LedgerUnderTest => ({
    ledger: new DynamodbLedger(table, new ParkedWrites(table, queue), { now }),
    writes,
    refusesCreatesBelowDeletedApplication: 'once purged',
    reopen: async () => open(),
    close: remove,
  });
  return open();
};
ledgerContract('DynamoDB', newLedger);
ledgerRestoreContract('DynamoDB', newLedger);
