import { randomUUID } from 'node:crypto';
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, DeleteQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { createLedgerTable } from '../../../lib/ledger/dynamodb/schema.ts';
import { DynamodbTable } from '../../../lib/ledger/dynamodb/table.ts';
import type { Write } from '../../../lib/model/write.ts';
import { decodeWrites } from '../../../lib/queue/records.ts';
import { SqsQueue } from '../../../lib/queue/sqs/sqs-queue.ts';
import { awsClientSettings } from './aws-services.ts';

export interface LedgerTable {
  client: DynamoDBClient;
  sqs: SQSClient;
  table: DynamodbTable;
  name: string;
  /** The queue that the ledger sends accepted writes to. */
  queue: SqsQueue;
  /** Returns everything that has been sent to the queue so far. */
  writes: () => Promise<Write[]>;
  remove: () => Promise<void>;
}

/** Creates a table and a queue for one test. */
export async function openLedgerTable(): Promise<LedgerTable> {
  const name = randomUUID();
  const client = new DynamoDBClient({ ...awsClientSettings, maxAttempts: 1 });
  const sqs = new SQSClient(awsClientSettings);
  await createLedgerTable(client, name);
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const queue = new SqsQueue(sqs, QueueUrl, QueueUrl);
  const drained: Write[] = [];
  return {
    client,
    sqs,
    table: new DynamodbTable(client, name),
    name,
    queue,
    writes: async () => {
      for (let deliveries = await queue.receive(10); deliveries.length > 0; deliveries = await queue.receive(10)) {
        drained.push(...deliveries.flatMap(({ body }) => decodeWrites(body)));
        await queue.acknowledge(deliveries.map(({ receipt }) => receipt));
      }
      return [...drained];
    },
    remove: async () => {
      await client.send(new DeleteTableCommand({ TableName: name }));
      await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    },
  };
}
