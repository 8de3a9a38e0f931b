import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, DeleteQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamodbLedger } from '../../../lib/ledger/dynamodb.ts';
import { DynamodbTable } from '../../../lib/ledger/dynamodb-table.ts';
import { ParkedWrites } from '../../../lib/ledger/parked-writes.ts';
import { decodeWrites, type Write } from '../../../lib/queue/records.ts';
import { SqsQueue } from '../../../lib/queue/sqs.ts';
import { type LedgerUnderTest, ledgerContract } from '../../contract/suites/ledger.ts';
import { awsClientSettings } from '../../support/aws-services.ts';

const dynamodb = new DynamoDBClient(awsClientSettings);
const sqs = new SQSClient(awsClientSettings);

ledgerContract('DynamoDB', async (now) => {
  const name = randomUUID();
  await dynamodb.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const queue = new SqsQueue(sqs, QueueUrl, QueueUrl);
  const table = new DynamodbTable(dynamodb, name);
  const drained: Write[] = [];

  const open = (): LedgerUnderTest => ({
    ledger: new DynamodbLedger(table, new ParkedWrites(table, queue), now),
    writes: async () => {
      for (let deliveries = await queue.receive(10); deliveries.length > 0; deliveries = await queue.receive(10)) {
        drained.push(...deliveries.flatMap(({ body }) => decodeWrites(body)));
        await queue.acknowledge(deliveries.map(({ receipt }) => receipt));
      }
      return [...drained];
    },
    refusesCreatesBelowDeletedApplication: 'once purged',
    reopen: async () => open(),
    close: async () => {
      await dynamodb.send(new DeleteTableCommand({ TableName: name }));
      await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    },
  });
  return open();
});
