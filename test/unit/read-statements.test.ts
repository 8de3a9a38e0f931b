import { readFileSync } from 'node:fs';
import { StatementSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { HttpHandler } from '../../functions/runtime/http/operation.ts';
import { type OperationId, type Route, routes } from '../../lib/api/routes.ts';
import { blankContent } from '../../lib/model/content.ts';
import { newToken } from '../../lib/model/token.ts';
import { loadOperation } from '../../local/operations.ts';
import { noAccess } from '../support/client/access.ts';
import { answer, apiEvent } from '../support/client/api-event.ts';
import { testCursors } from '../support/client/cursors.ts';
import {
  applicationWrite,
  chatWrite,
  deletionWrite,
  messageWrite,
  messageWrites,
} from '../support/histories/writes.ts';
import { openWorkerServices, type TestServices } from '../support/servers/worker-services.ts';

// The reads of both engines execute the same statements. Here they are counted in SQLite.

const document = readFileSync('docs/architecture.md', 'utf8');

test('the tables of calls in the document about the architecture have all operations on stored data', () => {
  const tables = document.slice(document.indexOf('| write | calls'), document.indexOf('A cursor contains'));
  const listed = new Set([...tables.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name));
  const operations = Object.entries<Route>(routes).filter(([, { needs }]) => /ledger|store/.test(needs.join()));
  expect(operations.map(([id]) => id).filter((id) => !listed.has(id))).toEqual([]);
});

let opened: TestServices;
beforeEach(async () => {
  opened = await openWorkerServices();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await opened.file.remove();
});

const reads: [name: string, id: OperationId, parts?: { params?: object; query?: object }][] = [
  ['getApplication', 'getApplication'],
  ['getChat', 'getChat'],
  ['getMessage', 'getMessage'],
  ['listApplications', 'listApplications'],
  ['listChats', 'listChats'],
  ['listMessages', 'listMessages', { query: { limit: '3' } }],
  ['listMessages, if a number in the range is deleted', 'listMessages'],
  ['listMessages, if a number in the range is missing', 'listMessages', { params: { chat_number: '2' } }],
  ['listMessages, if the page is empty', 'listMessages', { query: { after: '20' } }],
  ['listChatChanges', 'listChatChanges', { query: { after: '0' } }],
  ['listChatChanges, if nothing changed', 'listChatChanges', { query: { after: '2' } }],
  ['listApplicationChanges', 'listApplicationChanges', { query: { after: '0' } }],
  ['getFeed', 'getFeed'],
  ['searchChat', 'searchChat', { query: { q: 'message' } }],
  ['searchApplication', 'searchApplication', { query: { q: 'message' } }],
];

test('each read executes as many SQL statements as the document about the architecture says', async () => {
  const token = newToken();
  await opened.services.store.merge([applicationWrite(token), chatWrite(token, 1), ...messageWrites(token, 1, 1, 5)]);
  await opened.services.store.merge([deletionWrite(token, 1, 4)]);
  await opened.services.store.merge([chatWrite(token, 2), messageWrite(token, 2, 1), messageWrite(token, 2, 3)]);
  // On AWS, OpenSearch searches.
  const match = { chat: 1, number: 1, content: blankContent, createdAt: 1, updatedAt: 1 };
  const searchIndex = { search: async () => ({ matches: [match], more: false, total: 1, totalIsMinimum: false }) };
  const feed = { transports: async () => [] };
  // Only getFeed reads the ledger.
  const ledger = { accessGeneration: vi.fn(async () => 0) };
  const services = {
    ...opened.services,
    ...{ searchIndex, ledger, feed, cursors: testCursors(), access: noAccess, adminKey: undefined },
  } as unknown as Parameters<typeof loadOperation>[1];

  const executed = vi.spyOn(StatementSync.prototype, 'all');
  const counted: Record<string, number> = {};
  for (const [name, id, { params, query } = {}] of reads) {
    const handler: HttpHandler = await loadOperation(id, services);
    executed.mockClear();
    const { status } = await answer(handler, apiEvent(id, { params: { token, ...params }, query: { ...query } }));
    expect([name, status]).toEqual([name, 200]);
    counted[name] = executed.mock.calls.length;
  }

  expect(ledger.accessGeneration).toHaveBeenCalledOnce();

  const [, table = ''] = document.split('| SQL statements | of what |');
  const rows = table.split('\n\n')[0]?.matchAll(/^\| `(\w+)`(, if [^|]+?)? \| (\d+) \|/gm);
  expect(counted).toEqual(
    Object.fromEntries([...(rows ?? [])].map(([, id, when = '', count]) => [id + when, Number(count)])),
  );
});
