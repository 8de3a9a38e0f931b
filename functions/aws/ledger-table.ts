import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import { SqsOutbox } from '../../lib/queue/sqs/sqs-queue.ts';
import { openClient, queueCallSettings } from './calls.ts';

/** The variables of the ledger's table and of the queue that it sends accepted writes to. */
export const ledgerVariables = { LEDGER_TABLE: z.string().check(z.minLength(1)), STORE_QUEUE_URL: z.url() };

/** Opens the ledger's table, and the accepted writes that are parked in it during an outage of the store queue. */
export function openLedgerTable({ LEDGER_TABLE, STORE_QUEUE_URL }: { LEDGER_TABLE: string; STORE_QUEUE_URL: string }) {
  // The SDK must not retry. DynamodbTable decides for each call whether it may be repeated.
  const dynamodb = openClient((settings) => new DynamoDBClient({ ...settings, maxAttempts: 1 }));
  const sqs = openClient((settings) => new SQSClient({ ...settings, ...queueCallSettings }));
  const table = new DynamodbTable(dynamodb, LEDGER_TABLE);
  return { table, parked: new ParkedWrites(table, new SqsOutbox(sqs, STORE_QUEUE_URL)) };
}
