import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { SqsOutbox } from '../../lib/queue/sqs/sqs-queue.ts';
import { QueueAnnouncer } from '../feed/queue-announcer.ts';
import { openClient, queueCallSettings } from './calls.ts';
import { provider } from './provider.ts';

/** Announces versions in the feed queue FEED_QUEUE_URL; undefined where the feed is off. */
export const announcer = provider({
  variables: { FEED_QUEUE_URL: z.optional(z.url()) },
  create: ({ FEED_QUEUE_URL }) => {
    if (!FEED_QUEUE_URL) return undefined;
    const sqs = openClient((settings) => new SQSClient({ ...settings, ...queueCallSettings }));
    return new QueueAnnouncer(new SqsOutbox(sqs, FEED_QUEUE_URL));
  },
});
