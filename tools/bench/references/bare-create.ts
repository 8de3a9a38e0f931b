import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { callSettings } from '../../../functions/aws/calls.ts';

// The minimum that a function must do to create a message: the requests of lib/ledger/dynamodb/dynamodb-ledger.ts and
// lib/queue/sqs/sqs-queue.ts to the two services, with the same clients and settings, and without any checks.

const { LEDGER_TABLE, STORE_QUEUE_URL } = process.env;
const dynamodb = new DynamoDBClient({ ...callSettings, maxAttempts: 1 });
const sqs = new SQSClient(callSettings);

export async function handler(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
  const { token = '', chat_number: chat = '' } = event.pathParameters ?? {};
  const { body } = JSON.parse(Buffer.from(event.body ?? '', 'base64').toString());
  const at = Date.now();
  const { Attributes } = await dynamodb.send(
    new UpdateItemCommand({
      TableName: LEDGER_TABLE,
      Key: { pk: { S: `${token}/${chat}` }, sk: { S: 'chat' } },
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      UpdateExpression: 'ADD #counter :count',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(deleted)',
      ExpressionAttributeNames: { '#counter': 'messages' },
      ExpressionAttributeValues: { ':count': { N: '1' } },
    }),
  );
  const number = Number(Attributes?.messages?.N);
  const write = { kind: 'message', token, chat: Number(chat), number, revision: 0, at, body };
  await sqs.send(
    new SendMessageBatchCommand({
      QueueUrl: STORE_QUEUE_URL,
      Entries: [{ Id: '0', MessageBody: JSON.stringify({ version: 1, writes: [write] }) }],
    }),
  );
  const time = new Date(at).toISOString();
  return {
    statusCode: 201,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ number, body, created_at: time, updated_at: time }),
  };
}
