import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { DynamodbLedger } from '../../lib/ledger/dynamodb.ts';
import { SqsOutbox } from '../../lib/queue/sqs.ts';
import { callSettings } from './calls.ts';
import { provider } from './provider.ts';

/** The ledger in the DynamoDB table LEDGER_TABLE, which sends what it accepted to STORE_QUEUE_URL. */
export const ledger = provider({
  variables: { LEDGER_TABLE: z.string().min(1), STORE_QUEUE_URL: z.url() },
  create: ({ LEDGER_TABLE, STORE_QUEUE_URL }) =>
    new DynamodbLedger(
      // The ledger decides for each call whether it may be repeated.
      new DynamoDBClient({ ...callSettings, maxAttempts: 1 }),
      LEDGER_TABLE,
      new SqsOutbox(new SQSClient(callSettings), STORE_QUEUE_URL),
    ),
});
