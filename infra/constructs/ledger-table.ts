import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { ledger } from '../../functions/aws/ledger.ts';
import type { Route } from '../../lib/api/routes.ts';
import { ledgerTable } from '../../lib/ledger/dynamodb/schema.ts';
import { removalOf } from './removal.ts';
import type { ServiceFunction } from './service-function.ts';
import type { WorkQueue } from './work-queue.ts';

/**
 * What a function does with the ledger, and the actions that takes; a transaction takes those of its parts. The first
 * three park what the store queue does not take, which is why they write and remove items by the batch.
 */
export const ledgerActions = {
  /** Takes numbers, keeps what is created, and remembers an Idempotency-Key. */
  create: ['BatchGetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'],
  edit: ['BatchGetItem', 'UpdateItem', 'BatchWriteItem'],
  /** Marks what is deleted, and parks the deletion in the same transaction. */
  delete: ['BatchGetItem', 'UpdateItem', 'PutItem', 'BatchWriteItem'],
  /** Asks what was accepted. */
  read: ['BatchGetItem'],
  /** Removes what belongs to something deleted. */
  purge: ['BatchGetItem', 'Query', 'UpdateItem', 'BatchWriteItem'],
  /** Sends what is parked. */
  sweep: ['Query', 'BatchWriteItem'],
};
export type LedgerAccess = keyof typeof ledgerActions;

/** What a route does with the ledger. */
export const accessOf = ({ method }: Route): LedgerAccess =>
  (({ GET: 'read', POST: 'create', PATCH: 'edit', DELETE: 'delete' }) as const)[method];

/** Who sends to the store queue. The others know its address, which is a part of the ledger, and may not use it. */
const senders: LedgerAccess[] = ['create', 'edit', 'delete', 'sweep'];

interface LedgerTableProps {
  /** Where accepted writes go. */
  storeQueue: WorkQueue;
  keepData: boolean;
}

/** The table of counters and of what was accepted; with the queue it sends to, it is the ledger. */
export class LedgerTable extends Construct {
  readonly table: Table;
  readonly #storeQueue: WorkQueue;

  constructor(scope: Construct, id: string, { storeQueue, keepData }: LedgerTableProps) {
    super(scope, id);
    this.#storeQueue = storeQueue;
    this.table = new Table(this, 'Table', {
      partitionKey: { name: ledgerTable.partitionKey, type: AttributeType.STRING },
      sortKey: { name: ledgerTable.sortKey, type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: ledgerTable.expiry,
      deletionProtection: keepData,
      removalPolicy: removalOf(keepData),
    });
  }

  /** The function may do this with the ledger, and no more. */
  connect(fn: ServiceFunction, access: LedgerAccess): void {
    this.table.grant(fn, ...ledgerActions[access].map((action) => `dynamodb:${action}`));
    if (senders.includes(access)) this.#storeQueue.queue.grant(fn, 'sqs:SendMessage');
    fn.setVariables<typeof ledger>({
      LEDGER_TABLE: this.table.tableName,
      STORE_QUEUE_URL: this.#storeQueue.queue.queueUrl,
    });
  }
}
