import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import type { Write } from '../../lib/model/write.ts';
import { decodeWrites } from '../../lib/queue/records.ts';
import { SqsQueue } from '../../lib/queue/sqs/sqs-queue.ts';
import { SimulatedTable } from '../simulation/dynamodb.ts';
import type { Caller } from '../simulation/process.ts';
import { SimulatedQueue, sqsClient } from '../simulation/sqs.ts';
import { type LedgerUnderTest, ledgerContract } from './suites/ledger.ts';
import { ledgerRestoreContract } from './suites/ledger-restore.ts';

// The simulated services keep the same contracts as the real ones. Here no call fails or is delayed.

const caller: Caller = { task: 'contract', call: async (_part, effect) => effect() };
const noFaults = { chance: () => false, duplicates: 0 };

async function open(now: () => number): Promise<LedgerUnderTest> {
  const table = new DynamodbTable(new SimulatedTable().client(caller), 'ledger');
  const queues = { store: new SimulatedQueue(noFaults), dead: new SimulatedQueue(noFaults) };
  const queue = new SqsQueue(sqsClient(caller, queues, noFaults), 'store', 'dead');
  const drained: Write[] = [];
  const opened: LedgerUnderTest = {
    ledger: new DynamodbLedger(table, new ParkedWrites(table, queue), { now }),
    writes: async () => {
      for (const [id, { body }] of queues.store.messages) {
        drained.push(...decodeWrites(body));
        queues.store.messages.delete(id);
      }
      return [...drained];
    },
    refusesCreatesBelowDeletedApplication: 'once purged',
    reopen: async () => opened,
    close: async () => undefined,
  };
  return opened;
}

ledgerContract('simulated DynamoDB', open);
ledgerRestoreContract('simulated DynamoDB', open);
