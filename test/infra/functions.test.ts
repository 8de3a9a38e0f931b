import { describe, expect, test } from 'vitest';
import { type FunctionName, functions } from '../../infra/functions.ts';
import { type OperationId, type Route, routes } from '../../lib/api/routes.ts';
import { variablesOf } from '../support/providers.ts';
import { given, synthesize } from '../support/synthesis.ts';

const stack = synthesize({ ...given, adminKeySecret: 'admin-key' });
const names = Object.keys(functions).filter((name) => name !== 'migrate') as FunctionName[];
const operations = Object.entries<Route>(routes) as [OperationId, Route][];
const writes = operations.filter(([, { method }]) => method !== 'GET').map(([name]) => name);

test('there is a function for each route, and those behind the queues and schedules', () => {
  expect([...stack.functions.keys()].sort()).toEqual([...names].sort());
  expect(names).toEqual(expect.arrayContaining(operations.map(([name]) => name)));
});

describe.each(names)('%s', (name) => {
  const { properties, environment } = stack.function(name);

  test('runs on ARM in the current Node.js, with its sources in stack traces', () => {
    expect(properties).toMatchObject({ Architectures: ['arm64'], Runtime: 'nodejs24.x', Handler: 'index.handler' });
    expect(environment).toMatchObject({ NODE_OPTIONS: '--enable-source-maps' });
  });

  test('keeps its log for a month', () => {
    const log = stack.resources[properties.LoggingConfig.LogGroup.Ref];
    expect(log).toMatchObject({ Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: 30 } });
  });

  test('has the variables that its services name, and no others', async () => {
    const { required, optional } = await variablesOf(name);
    const set = Object.keys(environment).filter((variable) => variable !== 'NODE_OPTIONS');
    expect(set).toEqual(expect.arrayContaining(required));
    expect([...required, ...optional]).toEqual(expect.arrayContaining(set));
  });
});

test('a read may take 3 s, a write 10 s: both less than API Gateway waits', () => {
  for (const [name, { method }] of operations)
    expect(stack.function(name).properties.Timeout).toBe(method === 'GET' ? 3 : 10);
});

describe('what a function may do', () => {
  const table = [{ 'Fn::GetAtt': [stack.one('AWS::DynamoDB::Table').id, 'Arn'] }];
  const storeQueue = /^StoreQueue[0-9A-F]{8}$/;
  const searchQueue = /^SearchQueue[0-9A-F]{8}$/;
  const queue = (pattern: RegExp) => ({ 'Fn::GetAtt': [stack.one('AWS::SQS::Queue', pattern).id, 'Arn'] });
  const secret = (name: string) =>
    expect.objectContaining({
      'Fn::Join': ['', expect.arrayContaining([expect.stringContaining(`:secret:${name}-`)])],
    });
  const readsSecret = (name: string) => ({
    Action: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
    Effect: 'Allow',
    Resource: secret(name),
  });

  test.each(writes.filter((name) => name !== 'createApplication'))(
    '%s: write the ledger and its queue, no more',
    (name) => {
      expect(stack.function(name).statements).toEqual([
        {
          Action: [
            'dynamodb:BatchGetItem',
            'dynamodb:PutItem',
            'dynamodb:UpdateItem',
            'dynamodb:DeleteItem',
            'dynamodb:BatchWriteItem',
          ],
          Effect: 'Allow',
          Resource: table,
        },
        { Action: 'sqs:SendMessage', Effect: 'Allow', Resource: queue(storeQueue) },
      ]);
    },
  );

  test('getMessage: read the ledger and the password of the database', () => {
    expect(stack.function('getMessage').statements).toEqual([
      { Action: 'dynamodb:BatchGetItem', Effect: 'Allow', Resource: table },
      readsSecret('chat-database'),
    ]);
  });

  test('listApplications: read the two secrets', () => {
    expect(stack.function('listApplications').statements).toEqual([
      readsSecret('chat-database'),
      readsSecret('admin-key'),
    ]);
  });

  test.each(['getHealth', 'getOpenapi', 'getDocs', 'fallback'] as const)('%s: nothing', (name) => {
    expect(stack.function(name).statements).toEqual([]);
  });

  test('storeWorker: take from its queue, put aside, hand on', () => {
    const { statements } = stack.function('storeWorker');
    expect(statements.map(({ Action, Resource }) => [Action, Resource])).toEqual(
      expect.arrayContaining([
        [expect.arrayContaining(['sqs:ReceiveMessage', 'sqs:DeleteMessage']), queue(storeQueue)],
        ['sqs:SendMessage', queue(/^StoreQueueDeadLetters/)],
        ['sqs:SendMessage', queue(searchQueue)],
      ]),
    );
    expect(statements.filter(({ Action }) => Action === 'sqs:SendMessage')).toHaveLength(2);
    expect(JSON.stringify(statements)).not.toContain('dynamodb:');
  });

  test('sweepSchedule: take what is parked, and send it', () => {
    expect(stack.function('sweepSchedule').statements).toEqual([
      { Action: ['dynamodb:Query', 'dynamodb:BatchWriteItem'], Effect: 'Allow', Resource: table },
      { Action: 'sqs:SendMessage', Effect: 'Allow', Resource: queue(storeQueue) },
    ]);
  });

  test('only what works with the database may read its password', () => {
    const readers = names.filter((name) =>
      JSON.stringify(stack.function(name).statements).includes(':secret:chat-database-'),
    );
    expect(readers.sort()).toEqual(names.filter((name) => functions[name].needs.includes('store')).sort());
  });

  test('nobody may do everything, or something everywhere', () => {
    for (const { statements } of stack.functions.values())
      for (const { Action, Resource } of statements) {
        expect([Action].flat().filter((action) => action.includes('*'))).toEqual([]);
        expect(Resource).not.toBe('*');
      }
  });
});
