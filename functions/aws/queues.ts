import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { SqsQueue } from '../../lib/queue/sqs/sqs-queue.ts';
import { type AwsQueue, perQueueService, queueVariables } from '../queues.ts';
import { openClient, queueCallSettings } from './calls.ts';
import { provider } from './provider.ts';

/** Makes the provider of an SQS queue. */
export const queueProvider = (name: AwsQueue) => {
  const { url, deadLetterUrl } = queueVariables(name);
  return provider({
    variables: { [url]: z.url(), [deadLetterUrl]: z.url() },
    create: (environment) => {
      const sqs = openClient((settings) => new SQSClient({ ...settings, ...queueCallSettings }));
      return new SqsQueue(sqs, environment[url] as string, environment[deadLetterUrl] as string);
    },
  });
};

/** A provider of an SQS queue for each queue that every stage has, by the name of its service. */
export const queueProviders = perQueueService(queueProvider);
