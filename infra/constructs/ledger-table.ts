import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { ledger } from '../../functions/aws/ledger.ts';
import type { ServiceFunction } from './service-function.ts';
import type { WorkQueue } from './work-queue.ts';

/** What a function does with the ledger, and the actions that takes. */
const actions = {
  /** Takes numbers, and accepts edits and deletes. */
  write: ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'],
  /** Asks what was accepted. */
  read: ['GetItem', 'BatchGetItem'],
  /** Removes what belongs to something deleted. */
  purge: ['GetItem', 'Query', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'],
};

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
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: 'expires',
      deletionProtection: keepData,
      removalPolicy: keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
  }

  /** The function may do this with the ledger; only a writer may send to the store queue. */
  connect(fn: ServiceFunction, access: keyof typeof actions): void {
    this.table.grant(fn, ...actions[access].map((action) => `dynamodb:${action}`));
    if (access === 'write') this.#storeQueue.takesFrom(fn);
    fn.setVariables<typeof ledger>({
      LEDGER_TABLE: this.table.tableName,
      STORE_QUEUE_URL: this.#storeQueue.queue.queueUrl,
    });
  }
}
