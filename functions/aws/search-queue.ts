import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { SqsQueue } from '../../lib/queue/sqs/sqs-queue.ts';
import { queueCallSettings } from './calls.ts';
import { provider } from './provider.ts';

/** The queue from the store to the search index. */
export const searchQueue = provider({
  variables: { SEARCH_QUEUE_URL: z.url(), SEARCH_DEAD_LETTER_QUEUE_URL: z.url() },
  create: ({ SEARCH_QUEUE_URL, SEARCH_DEAD_LETTER_QUEUE_URL }) =>
    new SqsQueue(new SQSClient(queueCallSettings), SEARCH_QUEUE_URL, SEARCH_DEAD_LETTER_QUEUE_URL),
});
