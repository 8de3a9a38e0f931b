import { afterAll, beforeAll, expect, test } from 'vitest';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import { searchWorker } from '../../functions/workers/search.ts';
import { storeWorker } from '../../functions/workers/store.ts';
import type { Transport } from '../../lib/api/feed.ts';
import { openapiDocument } from '../../lib/api/openapi.ts';
import { type OperationId, type Route, routes } from '../../lib/api/routes.ts';
import { ledgerMigrations } from '../../lib/ledger/sqlite/schema.ts';
import { SqliteLedger } from '../../lib/ledger/sqlite/sqlite-ledger.ts';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { loadOperations } from '../../local/operations.ts';
import { testAccess } from '../support/client/access.ts';
import { answer, apiEvent, type RequestParts } from '../support/client/api-event.ts';
import { testCursors } from '../support/client/cursors.ts';
import { OpenApiCheck, type Received } from '../support/client/openapi.ts';
import { deliver } from '../support/servers/batch.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';
import { openWorkerServices, type TestServices } from '../support/servers/worker-services.ts';

// Runs the handlers of all operations on the embedded engine in this process and checks their responses against the
// OpenAPI document.

setLogLevel('silent');
const check = new OpenApiCheck(JSON.parse(JSON.stringify(openapiDocument())));
const table = Object.entries(routes) as [OperationId, Route][];

let ledgerFile: SqliteFile;
let opened: TestServices;
const received: [OperationId, Received][] = [];

beforeAll(async () => {
  ledgerFile = await openSqliteFile({ ledger: ledgerMigrations, queue: queueMigrations });
  opened = await openWorkerServices();
  await callEveryOperation();
});
afterAll(() => {
  opened.file.remove();
  ledgerFile.remove();
});

/** Calls each operation at least once, so that every documented member occurs in a response. */
async function callEveryOperation(): Promise<void> {
  const transports: Transport[] = [
    { type: 'sse', url: 'feed' },
    {
      type: 'appsync-events',
      url: 'wss://realtime.example/event/realtime',
      http_url: 'https://http.example/event',
      channels: { chat: '/chats/0/{chat_number}', application: '/applications/0' },
      authorization: { Authorization: 'Bearer x' },
    },
  ];
  const commits = new GroupCommit(ledgerFile.database);
  const queue = new SqliteQueue(commits, 'store');
  const { services, sent } = opened;
  const ledger = new SqliteLedger(commits, queue);
  const operations = await loadOperations({
    ledger,
    access: testAccess(ledger),
    store: services.store,
    searchIndex: services.searchIndex,
    cursors: testCursors(),
    feed: { origins: [], transports: async () => transports },
    adminKey: undefined,
  });
  let token = '';
  const call = async (id: OperationId, { params, ...parts }: RequestParts = {}) => {
    const handler = operations.get(id);
    if (!handler) throw new Error(`There is no handler of ${id}`);
    const event = apiEvent(id, { ...parts, params: { token, ...params } });
    const { status, headers, text, json } = await answer(handler, event);
    const isJson = headers['content-type']?.includes('json');
    const { method } = routes[id];
    received.push([
      id,
      { method, path: event.path, status, headers: new Headers(headers), body: isJson ? json : text },
    ]);
    return json;
  };
  const receive = async () => (await queue.receive(100)).map(({ body }) => body);
  const store = async () => {
    expect(await deliver(storeWorker(services), ...(await receive()))).toEqual([]);
    expect(await deliver(searchWorker(services), ...sent.splice(0))).toEqual([]);
  };
  const second = { chat_number: '2' };

  token = String((await call('createApplication', { body: { name: 'Support desk' } })).token);
  await call('createChat', { body: { name: 'Order 1042', metadata: { order: 1042 } } });
  await call('createChat', { body: {} });
  for (const body of [{}, { sender: 'ada', chats: [1], can: ['read'], expires_in: 60 }]) {
    const { access_token } = await call('createAccessToken', { body });
    const headers = { Authorization: `Bearer ${access_token}` };
    await call('getApplication', { params: { token: 'self' }, headers });
  }
  await call('endAccessTokens');
  await call('createMessage', { body: { sender: 'ada', body: 'Hello, world', metadata: { order: 1042 } } });
  await call('createMessages', { body: { messages: [{ body: 'Hello again' }, { body: 'and again' }] } });
  await store();
  // Message 4 is accepted but not yet stored, so the list names it as pending.
  await call('createMessage', { body: { body: 'late' } });
  await receive();
  await call('createMessage', { body: { body: 'Hello at last' } });
  await call('editApplication', { body: { name: 'Help desk' } });
  await call('editChat', { body: { name: null, metadata: {} } });
  await call('editMessage', { body: { body: 'Hello, world!', metadata: { order: [1042, null] } } });
  await store();

  for (const id of ['getApplication', 'getChat', 'getMessage', 'listMessages', 'listChats'] as const) await call(id);
  await call('listApplications', { query: { order: 'desc' } });
  for (const query of [{ limit: '1' }, { order: 'desc' }])
    expect(await call('listMessages', { query })).toMatchObject('limit' in query ? { pending: [] } : { pending: [4] });
  await call('listMessages', { params: second });
  for (const id of ['listChatChanges', 'listApplicationChanges'] as const)
    for (const query of [{}, { after: '0' }, { after: '0', limit: '1' }]) await call(id, { query });
  await call('getFeed');
  for (const id of ['searchChat', 'searchApplication'] as const)
    for (const limit of ['1', '20']) await call(id, { query: { q: 'hello', limit } });
  for (const id of ['getHealth', 'getOpenapi', 'getDocs', 'getConsole'] as const) await call(id);
  await call('deleteMessage');
  await call('deleteChat', { params: second });
  await call('deleteApplication');
}

test('every operation responds to a valid request with its documented status, headers and body', () => {
  expect([...new Set(received.map(([id]) => id))].sort()).toEqual(table.map(([id]) => id).sort());
  for (const [id, each] of received) {
    expect([each.status, check.fault(each)], id).toEqual([routes[id].response.status, undefined]);
  }
});

type JsonObject = Record<string, unknown>;

/** Returns whether a member may contain anything. */
const isOpen = (name: string): boolean => ['metadata', 'authorization'].includes(name);

/**
 * Returns copies of a JSON value, each with one of its objects changed in one way, and the name of the changed member.
 */
function* variants(
  value: unknown,
  change: (object: JsonObject) => [string, JsonObject][],
): Generator<[string, unknown]> {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries())
      for (const [member, changed] of variants(item, change)) yield [member, value.with(i, changed)];
  } else if (typeof value === 'object' && value !== null) {
    yield* change(value as JsonObject);
    for (const [name, inner] of Object.entries(value).filter(([name]) => !isOpen(name)))
      for (const [member, changed] of variants(inner, change)) yield [member, { ...value, [name]: changed }];
  }
}

/**
 * Members that a response may lack. An edit returns only the members that it set, and an access token does not show all
 * members of its application.
 */
const optional: { [Id in OperationId]?: string[] } = {
  editMessage: ['body', 'metadata'],
  editChat: ['name', 'metadata'],
  getApplication: ['token', 'chats_count'],
  // Present on a page that ends within a version.
  listChatChanges: ['cursor'],
  listApplicationChanges: ['cursor'],
};
const isOptional = (id: OperationId, member: string): boolean => optional[id]?.includes(member) ?? false;

const isDocumentOperation = (id: OperationId) => 'document' in routes[id].response;

test('a response with an undocumented member, at any depth, is not accepted as documented', () => {
  const withOneMore = (object: JsonObject): [string, JsonObject][] => [['extra', { ...object, extra: 1 }]];
  for (const [id, each] of received.filter(([id]) => !isDocumentOperation(id)))
    for (const [, body] of variants(each.body, withOneMore))
      expect(check.fault({ ...each, body }), id).toMatch(/^the body has the undocumented member .*\/extra$/);
});

test('a response without a documented member, at any depth, is not accepted as documented', () => {
  const withOneLess = (object: JsonObject): [string, JsonObject][] =>
    Object.keys(object).map((name) => [
      name,
      Object.fromEntries(Object.entries(object).filter(([key]) => key !== name)),
    ]);
  for (const [id, each] of received.filter(([id]) => !isDocumentOperation(id)))
    for (const [member, body] of variants(each.body, withOneLess).filter(([member]) => !isOptional(id, member)))
      expect(check.fault({ ...each, body }), id).toMatch(
        // Without its type, a change has no schema.
        new RegExp(`must have required property '${member}'|tag "${member}" must be string`),
      );
});
