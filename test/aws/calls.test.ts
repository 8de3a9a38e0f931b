import { readFileSync } from 'node:fs';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { PoolConnection } from 'mysql2';
import { expect, onTestFinished, test, vi } from 'vitest';
import { perQueueService } from '../../functions/queues.ts';
import { rollUpSchedule } from '../../functions/schedule/roll-up.ts';
import { searchWorker } from '../../functions/workers/search.ts';
import { storeWorker } from '../../functions/workers/store.ts';
import type { OperationId } from '../../lib/api/routes.ts';
import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { limits } from '../../lib/limits.ts';
import { encodeChanges, encodeWrites } from '../../lib/queue/records.ts';
import type { SearchIndex } from '../../lib/search/search-index.ts';
import { MysqlStore, openMysql } from '../../lib/store/mysql/mysql-store.ts';
import { lambdaContext, sqsEvent } from '../../local/lambda-events.ts';
import { loadOperation } from '../../local/operations.ts';
import { sqlStatements } from '../../tools/cost/workers.ts';
import { testAccess } from '../support/client/access.ts';
import { answer, apiEvent, type RequestParts } from '../support/client/api-event.ts';
import { applicationWrite, chatWrite, contents, messageWrite } from '../support/histories/writes.ts';
import { openLedgerTable } from '../support/servers/ledger-table.ts';
import { newStoreDatabase } from '../support/servers/mysql-database.ts';

const document = readFileSync('docs/architecture.md', 'utf8');

/** Returns the cells of the rows of a table in the document. The rows begin with the name of something in code. */
const rowsUnder = (heading: string): Record<string, string[]> => {
  const table = document.slice(document.indexOf(heading)).split('\n\n', 1)[0] as string;
  const rows = table.matchAll(/^\| `(\w+)`(, [^|]+?)? \| (.+) \|$/gm);
  return Object.fromEntries([...rows].map(([, name, when = '', cells = '']) => [name + when, cells.split(' | ')]));
};

/** Records the calls that the SDK's clients send, each retry included. */
function recordCalls(...clients: (DynamoDBClient | SQSClient)[]): string[] {
  const calls: string[] = [];
  for (const { middlewareStack } of clients as DynamoDBClient[])
    middlewareStack.add(
      (next, { commandName = '' }) =>
        (args) => {
          calls.push(`\`${commandName.replace(/Command$/, '')}\``);
          return next(args);
        },
      { step: 'finalizeRequest', priority: 'low' },
    );
  return calls;
}

test('each write calls DynamoDB and SQS as the document about the architecture says', async () => {
  const { client, sqs, table, queue, remove } = await openLedgerTable();
  onTestFinished(remove);
  const calls = recordCalls(client, sqs);
  const ledger = new DynamodbLedger(table, new ParkedWrites(table, queue));
  const services = { ledger, access: testAccess(ledger), adminKey: undefined };
  const counted: Record<string, string[]> = {};
  let token = '';
  const count = async (name: string, parts: RequestParts = {}) => {
    const id = name.split(',')[0] as OperationId;
    const handler = await loadOperation(id, services);
    calls.length = 0;
    const { status, json } = await answer(handler, apiEvent(id, { ...parts, params: { token } }));
    expect([name, status]).toEqual([name, expect.toSatisfy((is: number) => is < 300)]);
    counted[name] = [calls.join(', ')];
    return json;
  };
  token = String((await count('createApplication', { body: { name: 'one' } })).token);
  await count('createChat', { body: {} });
  await count('createMessage, the first of an application in 30 s and an instance', { body: { body: 'one' } });
  await count('createMessage', { body: { body: 'two' } });
  await count('createMessage, with an `Idempotency-Key`', { body: { body: 'x' }, headers: { 'Idempotency-Key': 'x' } });
  await count('createMessages', { body: { messages: Array.from({ length: 1_000 }, () => ({ body: 'three' })) } });
  await count('editMessage', { body: { body: 'four' } });
  await count('deleteMessage');
  await count('editChat', { body: { name: 'five' } });
  await count('deleteChat');
  await count('editApplication', { body: { name: 'six' } });
  await count('createAccessToken', { body: { expires_in: 60 } });
  await count('endAccessTokens');
  await count('deleteApplication');
  expect(counted).toEqual(rowsUnder('| write | calls'));
});

test('each worker calls SQL and the other services as the document about the architecture says', async () => {
  const { client, sqs, table, queue, remove } = await openLedgerTable();
  onTestFinished(remove);
  const calls = recordCalls(client, sqs);
  const ledger = new DynamodbLedger(table, new ParkedWrites(table, queue));
  const database = await newStoreDatabase();
  onTestFinished(database.drop);
  const db = openMysql(database.url, { connections: 1, timeouts: limits.sqlMs.work });
  onTestFinished(() => db.destroy());
  const store = new MysqlStore(db);
  const sent = [vi.spyOn(PoolConnection.prototype, 'query'), vi.spyOn(PoolConnection.prototype, 'execute')];
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  const counted: Record<string, string[]> = {};
  const count = async (name: string, work: () => unknown) => {
    calls.length = 0;
    for (const each of sent) each.mockClear();
    await work();
    const statements = sent.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    counted[name] = [String(statements), calls.join(', ') || 'none'];
  };
  const recordsOf = (bodies: string[]) =>
    sqsEvent(
      'queue',
      bodies.map((body, i) => ({ receipt: String(i), body, receives: 1 })),
    );

  const { token } = await ledger.createApplication('one');
  const { number: chat } = await ledger.createChat(token, { name: null, metadata: null });
  await store.merge([applicationWrite(token), chatWrite(token, chat)]);
  const keys = Array.from({ length: 1_000 }, (_, i) => ({ token, chat, number: i + 1 }));
  await ledger.createMessages({ token, chat }, contents(keys.map(() => 'one')));
  const writes = keys.map(({ number }) => encodeWrites([messageWrite(token, chat, number)], [`request-${number}`]));
  const storing = storeWorker({ store, ...perQueueService(() => queue) });
  await count('store', () => storing(recordsOf(writes), lambdaContext('test')));

  const indexed: unknown[] = [];
  const searchIndex = {
    index: async (documents: unknown[]) => void indexed.push(...documents),
  } as unknown as SearchIndex;
  const indexing = searchWorker({ store, searchIndex, ...perQueueService(() => queue) });
  await count('search', () => indexing(recordsOf([encodeChanges(keys)]), lambdaContext('test')));
  expect(indexed).toHaveLength(keys.length);

  const counting = rollUpSchedule({ store, ledger });
  await count('rollUp, of one chat and its application', () => counting({} as never, lambdaContext('test')));
  expect(counted).toEqual(rowsUnder('| in the background | SQL statements'));
  // The models of cost and lag.
  for (const [worker, statements] of Object.entries(sqlStatements))
    expect(counted[worker]?.[0]).toBe(String(statements));
});
