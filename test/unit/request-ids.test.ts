import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { getHealth } from '../../functions/api/get-health.ts';
import type { Services } from '../../functions/runtime/services.ts';
import { acceptsWrites, type OperationId, type Route, routes } from '../../lib/api/routes.ts';
import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import { ledgerMigrations } from '../../lib/ledger/sqlite/schema.ts';
import { SqliteLedger } from '../../lib/ledger/sqlite/sqlite-ledger.ts';
import { limits } from '../../lib/limits.ts';
import { decodeWritesRecord } from '../../lib/queue/records.ts';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import { SqsQueue } from '../../lib/queue/sqs/sqs-queue.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { loadOperations } from '../../local/operations.ts';
import { SimulatedTable } from '../simulation/dynamodb.ts';
import type { Caller } from '../simulation/process.ts';
import { SimulatedQueue, sqsClient } from '../simulation/sqs.ts';
import { answer, apiEvent } from '../support/client/api-event.ts';
import { chatNamed, contents } from '../support/histories/writes.ts';
import { openSqliteFile } from '../support/servers/sqlite-file.ts';

/** A ledger, and the records that it has queued since the last call. */
interface Opened {
  ledger: Ledger;
  queued: () => Promise<string[]>;
}

async function embedded(): Promise<Opened> {
  const file = await openSqliteFile({ ledger: ledgerMigrations, queue: queueMigrations });
  onTestFinished(() => file.remove());
  const commits = new GroupCommit(file.database);
  const queue = new SqliteQueue(commits, 'store');
  const queued = async () => (await queue.receive(100)).map(({ body }) => body);
  return { ledger: new SqliteLedger(commits, queue), queued };
}

async function dynamodb(): Promise<Opened> {
  const caller: Caller = { task: 'test', call: async (_part, effect) => effect() };
  const noFaults = { chance: () => false, duplicates: 0 };
  const table = new DynamodbTable(new SimulatedTable().client(caller), 'ledger');
  const queues = { store: new SimulatedQueue(noFaults), dead: new SimulatedQueue(noFaults) };
  const parked = new ParkedWrites(table, new SqsQueue(sqsClient(caller, queues, noFaults), 'store', 'dead'));
  const queued = async () => {
    const bodies = [...queues.store.messages.values()].map(({ body }) => body);
    queues.store.messages.clear();
    return bodies;
  };
  return { ledger: new DynamodbLedger(table, parked), queued };
}

/** Every operation that writes, in an order in which each finds its target. */
const writing: [OperationId, body?: unknown][] = [
  ['createApplication', { name: 'a' }],
  ['createChat', { name: 'c' }],
  ['createMessage', { body: 'one' }],
  ['createMessages', { messages: [{ body: 'two' }, { body: 'three' }] }],
  ['editMessage', { body: 'edited' }],
  ['editChat', { name: 'd' }],
  ['editApplication', { name: 'b' }],
  ['deleteMessage'],
  ['deleteChat'],
  ['deleteApplication'],
];

test.for([['embedded', embedded] as const, ['in DynamoDB', dynamodb] as const])(
  'every write carries the id of its request: the ledger %s',
  async ([, open]) => {
    const { ledger, queued } = await open();
    const operations = await loadOperations({ ledger, adminKey: undefined } as unknown as Services & {
      adminKey: undefined;
    });
    const all = Object.entries<Route>(routes).filter(([, route]) => acceptsWrites(route));
    expect(writing.map(([id]) => id).sort()).toEqual(all.map(([id]) => id).sort());
    let token = '';
    for (const [id, body] of writing) {
      const params = { token, chat_number: '1', message_number: '1' };
      const event = apiEvent(id, {
        params: id === 'createApplication' ? {} : params,
        ...(body !== undefined && { body }),
      });
      const { status, headers, json } = await answer(operations.get(id) as never, event);
      expect(status, id).toBeLessThan(300);
      token ||= json.token as string;
      const records = (await queued()).map(decodeWritesRecord);
      expect(
        records.map(({ requests }) => requests),
        id,
      ).toEqual([[headers['x-request-id']]]);
    }
  },
);

test('a record of a group names exactly the requests whose writes it has', async () => {
  const { ledger, queued } = await embedded();
  const { token } = await ledger.createApplication('a', { requestId: 'first' });
  await ledger.createChat(token, chatNamed(null));
  await queued();
  const long = Array<string>(40).fill('x'.repeat(10_000));
  await Promise.allSettled([
    ledger.createMessages({ token, chat: 1 }, contents(['one', 'two']), { requestId: 'pair' }),
    ledger.createMessages({ token, chat: 2 }, contents(['nowhere']), { requestId: 'refused' }),
    ledger.createMessages({ token, chat: 1 }, contents(['three'])),
    ledger.createMessages({ token, chat: 1 }, contents(long), { requestId: 'long' }),
    ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'edited' }, { requestId: 'edit' }),
  ]);
  const records = (await queued()).map(decodeWritesRecord);
  expect(records.map(({ requests, writes }) => [requests, writes.length])).toEqual([
    [['pair', 'long'], 3 + Math.ceil(limits.recordBytes / 10_000)],
    [['long', 'edit'], 40 - Math.ceil(limits.recordBytes / 10_000) + 1],
  ]);
});

test.for(['', 'short', '{"level":"ERROR"}', 'x'.repeat(128), randomUUID()])(
  'the id of a response is Lambda’s, even when a client has chosen API Gateway’s id: %j',
  async (requestId) => {
    const event = apiEvent('getHealth');
    event.requestContext.requestId = requestId;
    const id = (await answer(getHealth({}), event)).headers['x-request-id'];
    expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(id).not.toBe(requestId);
  },
);
