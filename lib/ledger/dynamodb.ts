import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Outbox } from '../queue/queue.ts';
import type { Ledger } from './ledger.ts';

// A placeholder for a few minutes; the real one is being written.
export const DynamodbLedger = class {
  constructor(_client: DynamoDBClient, _table: string, _outbox: Outbox) {
    throw new Error('not yet');
  }
} as unknown as new (
  client: DynamoDBClient,
  table: string,
  outbox: Outbox,
) => Ledger;
