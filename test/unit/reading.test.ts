import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getApplication } from '../../functions/api/get-application.ts';
import { getChat } from '../../functions/api/get-chat.ts';
import { getMessage } from '../../functions/api/get-message.ts';
import { listChats } from '../../functions/api/list-chats.ts';
import { listMessages } from '../../functions/api/list-messages.ts';
import { searchApplication } from '../../functions/api/search-application.ts';
import { searchChat } from '../../functions/api/search-chat.ts';
import type { Services } from '../../functions/runtime/services.ts';
import { ledgerMigrations } from '../../lib/ledger/sqlite/schema.ts';
import { SqliteLedger } from '../../lib/ledger/sqlite/sqlite-ledger.ts';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import { searchMigrations } from '../../lib/search/sqlite/schema.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { storeMigrations } from '../../lib/store/sqlite/schema.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { newClock } from '../support/basics/clock.ts';
import { noAccess } from '../support/client/access.ts';
import { answer, apiEvent } from '../support/client/api-event.ts';
import { testCursors } from '../support/client/cursors.ts';
import {
  applicationWrite,
  chatNamed,
  chatWrite,
  contents,
  deletionWrite,
  indexed,
  messageWrite,
} from '../support/histories/writes.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

// Tests reads while the store is behind the ledger, or search behind the store.
describe('a read', () => {
  const clock = newClock();
  let files: SqliteFile[];
  let services: Services;
  let store: SqliteStore;
  let token: string;

  beforeEach(async () => {
    const ledgerFile = await openSqliteFile({ ledger: ledgerMigrations, queue: queueMigrations });
    const storeFile = await openSqliteFile({ store: storeMigrations, search: searchMigrations });
    files = [ledgerFile, storeFile];
    const commits = new GroupCommit(ledgerFile.database);
    store = new SqliteStore(storeFile.database);
    services = {
      ledger: new SqliteLedger(commits, new SqliteQueue(commits, 'store', { now: clock }), { now: clock }),
      store,
      searchIndex: new SqliteSearchIndex(storeFile.database),
      cursors: testCursors(),
      feed: { origins: [], transports: async () => [] },
      access: noAccess,
    };
    // Creates what is accepted but not stored.
    token = (await services.ledger.createApplication('a')).token;
    await services.ledger.createChat(token, chatNamed('c'));
    await services.ledger.createMessages({ token, chat: 1 }, contents(['1', '2']));
  });
  afterEach(() => {
    for (const file of files) file.remove();
  });

  const params = (chat = 1, number = 1, of = token) => ({
    params: { token: of, chat_number: `${chat}`, message_number: `${number}` },
  });
  const readApplication = (of = token) =>
    answer(getApplication(services), apiEvent('getApplication', params(1, 1, of)));
  const readChat = (chat = 1, of = token) => answer(getChat(services), apiEvent('getChat', params(chat, 1, of)));
  const readMessage = (number = 1, chat = 1) =>
    answer(getMessage(services), apiEvent('getMessage', params(chat, number)));
  const chatsList = () => answer(listChats(services), apiEvent('listChats', params()));
  const searched = (query: Record<string, string> = { q: 'hello' }) =>
    answer(searchApplication(services), apiEvent('searchApplication', { ...params(), query }));

  test('an application or chat can be read at once, before it is stored', async () => {
    expect(await readApplication()).toMatchObject({ status: 200, json: { token, name: 'a', chats_count: 0 } });
    expect(await readChat()).toMatchObject({ status: 200, json: { number: 1, name: 'c', messages_count: 0 } });
    expect(await chatsList()).toMatchObject({ status: 200, json: { data: [], next: null } });
    await store.merge([applicationWrite(token, { name: 'stored' }), chatWrite(token, 1, { name: 'stored' })]);
    expect((await readApplication()).json.name).toBe('stored');
    expect((await readChat()).json.name).toBe('stored');
  });

  test('a read of something that was never accepted is a 404 that names what is missing', async () => {
    expect((await readApplication('unknown')).json.code).toBe('application_not_found');
    expect((await readChat(1, 'unknown')).json.code).toBe('application_not_found');
    expect((await readChat(2)).json.code).toBe('chat_not_found');
    expect((await readMessage(1, 2)).json.code).toBe('chat_not_found');
    expect((await readMessage(3)).json.code).toBe('message_not_found');
    expect((await searched({ q: 'x' })).status).toBe(200);
  });

  test('a message is message_pending, with Retry-After, until it is stored', async () => {
    const pending = await readMessage();
    expect([pending.status, pending.json.code]).toEqual([404, 'message_pending']);
    expect(pending.headers['Retry-After']).toMatch(/^\d+$/);
    await store.merge([messageWrite(token, 1, 1, { revision: 1 })]);
    expect((await readMessage()).json.code).toBe('message_pending');
    await store.merge([messageWrite(token, 1, 1)]);
    expect(await readMessage()).toMatchObject({ status: 200, json: { number: 1, body: 'message 1/1, revision 1' } });
  });

  test('a message with a void number is message_not_found, and no page names it as pending', async () => {
    await services.ledger.createMessages({ token, chat: 1 }, contents(['3', '4']));
    const pending = async () =>
      (await answer(listMessages(services), apiEvent('listMessages', params()))).json.pending as number[];
    await store.merge([chatWrite(token, 1), messageWrite(token, 1, 1), messageWrite(token, 1, 4)]);
    expect(await pending()).toEqual([2, 3]);
    await store.noteMissing({ token, chat: 1 }, [2, 3], clock());
    await store.recordVoid({ token, chat: 1 }, [2]);
    expect(await pending()).toEqual([3]);
    expect(await readMessage(2)).toMatchObject({ status: 404, json: { code: 'message_not_found' } });
    expect((await readMessage(3)).json.code).toBe('message_pending');
    // A void message can still be read when its write arrives.
    await store.merge([messageWrite(token, 1, 2)]);
    expect(await readMessage(2)).toMatchObject({ status: 200, json: { number: 2 } });
  });

  test('a read of something deleted is its 404, whether the deletion is stored or not', async () => {
    await services.ledger.deleteMessage({ token, chat: 1, number: 1 });
    expect((await readMessage(1)).json.code).toBe('message_not_found');
    await store.merge([chatWrite(token, 1), messageWrite(token, 1, 2), deletionWrite(token, 1, 2)]);
    expect((await readMessage(2)).json.code).toBe('message_not_found');
    await store.merge([deletionWrite(token, 1)]);
    expect((await readMessage(2)).json.code).toBe('chat_not_found');
    expect((await readChat()).json.code).toBe('chat_not_found');
    await store.merge([deletionWrite(token)]);
    expect((await readChat()).json.code).toBe('application_not_found');
    expect((await chatsList()).json.code).toBe('application_not_found');
    expect((await searched()).json.code).toBe('application_not_found');
  });

  test('a search leaves out deleted chats whose documents still exist', async () => {
    await services.searchIndex.index(
      [1, 2].map((chat) => ({
        token,
        chat,
        number: 1,
        ...indexed('<b>Hello</b>'),
        createdAt: 1_000 * chat,
        updatedAt: 1_000 * chat,
      })),
    );
    const both = await searched();
    expect(both.json).toEqual({
      data: [2, 1].map((chat) => ({
        chat_number: chat,
        number: 1,
        sender: null,
        body: '<b>Hello</b>',
        metadata: {},
        created_at: `1970-01-01T00:00:0${chat}.000Z`,
        updated_at: `1970-01-01T00:00:0${chat}.000Z`,
        highlight: '&lt;b&gt;<em>Hello</em>&lt;/b&gt;',
      })),
      next: null,
      total: 2,
    });
    await store.merge([deletionWrite(token, 2)]);
    expect((await searched()).json.data).toMatchObject([{ chat_number: 1 }]);
    const inChat = await answer(searchChat(services), apiEvent('searchChat', { ...params(2), query: { q: 'hello' } }));
    expect(inChat.json.code).toBe('chat_not_found');
  });

  test('a search continues after its cursor, even after an empty page', async () => {
    await services.searchIndex.index(
      [1, 2, 3].map((chat) => ({
        token,
        chat,
        number: 1,
        ...indexed('hello'),
        createdAt: chat,
        updatedAt: chat,
      })),
    );
    await store.merge([deletionWrite(token, 3)]);
    const first = await searched({ q: 'hello', limit: '1' });
    expect(first.json).toMatchObject({ data: [], next: expect.any(String) });
    const second = await searched({ q: 'hello', limit: '1', cursor: String(first.json.next) });
    expect(second.json.data).toMatchObject([{ chat_number: 2 }]);
    const foreign = await searched({ q: 'hallo', limit: '1', cursor: String(first.json.next) });
    expect([foreign.status, foreign.json.errors]).toMatchObject([422, [{ pointer: 'cursor' }]]);
  });
});
