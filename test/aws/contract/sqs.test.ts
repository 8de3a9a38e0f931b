import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { SqsQueue } from '../../../lib/queue/sqs/sqs-queue.ts';
import { type QueueUnderTest, queueContract } from '../../contract/suites/queue.ts';
import { awsClientSettings } from '../../support/servers/aws-services.ts';

const client = new SQSClient(awsClientSettings);

queueContract('SQS', async ({ visibilitySeconds, maxReceives }) => {
  const create = async (QueueName: string, Attributes: Record<string, string>) =>
    (await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl as string;
  const name = randomUUID();
  const deadLetterUrl = await create(`${name}-dead`, {});
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetterUrl, AttributeNames: ['QueueArn'] }),
  );
  const url = await create(name, {
    VisibilityTimeout: String(visibilitySeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: maxReceives }),
  });
  const open = (): QueueUnderTest => ({
    queue: new SqsQueue(client, url, deadLetterUrl),
    now: Date.now,
    elapse: (seconds) => sleep(seconds * 1_000 + 50),
    reopen: async () => open(),
    close: async () => undefined,
  });
  return open();
});
