import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { type ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { ledger } from '../../functions/aws/ledger.ts';
import type { ledgerReads } from '../../functions/aws/ledger-reads.ts';
import type { Route } from '../../lib/api/routes.ts';
import { ledgerTable } from '../../lib/ledger/dynamodb/schema.ts';
import { removalOf } from './removal.ts';
import type { ServiceFunction } from './service-function.ts';
import type { WorkQueue } from './work-queue.ts';

/**
 * The DynamoDB actions that each kind of access needs. A transaction needs the actions of its parts. `create`, `edit` and
 * `delete` need `BatchWriteItem` to park the writes that the store queue does not accept.
 */
export const ledgerActions = {
  /** Assigns numbers, stores created items, and takes the lease on an Idempotency-Key. */
  create: ['BatchGetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'],
  edit: ['BatchGetItem', 'UpdateItem', 'BatchWriteItem'],
  /** Marks an item as deleted, and parks the deletion in the same transaction. */
  delete: ['BatchGetItem', 'UpdateItem', 'PutItem', 'BatchWriteItem'],
  /** Reads what was accepted, and the access generation of an application. */
  read: ['BatchGetItem'],
  /** Raises the access generation of an application. */
  'end access tokens': ['BatchGetItem', 'UpdateItem'],
  /** Removes everything below a deleted item. */
  purge: ['BatchGetItem', 'Query', 'UpdateItem', 'BatchWriteItem'],
  /** Sends parked writes and removes them. */
  sweep: ['Query', 'BatchWriteItem'],
};
export type LedgerAccess = keyof typeof ledgerActions;

/** The DynamoDB actions of script/ops: it lists applications, compares entries and parked writes, and restores entries. */
export const ledgerOperations = ['Scan', 'Query', 'BatchGetItem', 'PutItem', 'UpdateItem'];

/** Returns the access that a route needs. */
export const accessOf = ({ method, ledger }: Route): LedgerAccess =>
  ledger ?? ({ GET: 'read', POST: 'create', PATCH: 'edit', DELETE: 'delete' } as const)[method];

/** The kinds of access that send to the store queue. */
const senders: LedgerAccess[] = ['create', 'edit', 'delete', 'sweep'];

interface LedgerTableProps {
  /** The queue that accepted writes are sent to. */
  storeQueue: WorkQueue;
  /** The writes per second that the table accepts from its start. AWS charges once for those above 4,000. */
  warmWrites: number | undefined;
  keepData: boolean;
}

/** The DynamoDB table of the ledger, which holds counters and accepted writes. The ledger also sends to the store queue. */
export class LedgerTable extends Construct {
  readonly table: Table;
  readonly #storeQueue: WorkQueue;

  constructor(scope: Construct, id: string, { storeQueue, warmWrites, keepData }: LedgerTableProps) {
    super(scope, id);
    this.#storeQueue = storeQueue;
    this.table = new Table(this, 'Table', {
      partitionKey: { name: ledgerTable.partitionKey, type: AttributeType.STRING },
      sortKey: { name: ledgerTable.sortKey, type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      ...(warmWrites && { warmThroughput: { writeUnitsPerSecond: warmWrites } }),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: ledgerTable.expiry,
      deletionProtection: keepData,
      removalPolicy: removalOf(keepData),
    });
  }

  /**
   * Lets an operator use script/ops on the table, and on the copy `<name>-restored` that a restore creates
   * (docs/restoring.md).
   */
  allowOperations(operator: ManagedPolicy): void {
    operator.addStatements(
      new PolicyStatement({
        actions: ledgerOperations.map((action) => `dynamodb:${action}`),
        resources: [this.table.tableArn, this.restoredArn],
      }),
    );
  }

  /** The ARN of the table that a restore creates before it replaces this one. */
  get restoredArn(): string {
    return `${this.table.tableArn}-restored`;
  }

  /** Lets the function use the ledger with this access and no other. */
  connect(fn: ServiceFunction, access: LedgerAccess): void {
    this.table.grant(fn, ...ledgerActions[access].map((action) => `dynamodb:${action}`));
    if (senders.includes(access)) this.#storeQueue.queue.grant(fn, 'sqs:SendMessage');
    fn.setVariables<typeof ledgerReads>({ LEDGER_TABLE: this.table.tableName });
    // The others can send, so their ledger requires the address, even if they only end access tokens or purge.
    if (access !== 'read')
      fn.setVariables<typeof ledger>({
        LEDGER_TABLE: this.table.tableName,
        STORE_QUEUE_URL: this.#storeQueue.queue.queueUrl,
      });
  }
}
