import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { SqsQueue } from '../../lib/queue/sqs/sqs-queue.ts';
import { queueCallSettings } from './calls.ts';
import { provider } from './provider.ts';

/** The queue from the ledger to the store. */
export const storeQueue = provider({
  variables: { STORE_QUEUE_URL: z.url(), STORE_DEAD_LETTER_QUEUE_URL: z.url() },
  create: ({ STORE_QUEUE_URL, STORE_DEAD_LETTER_QUEUE_URL }) =>
    new SqsQueue(new SQSClient(queueCallSettings), STORE_QUEUE_URL, STORE_DEAD_LETTER_QUEUE_URL),
});
