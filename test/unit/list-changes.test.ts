import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listApplicationChanges } from '../../functions/api/list-application-changes.ts';
import { listChatChanges } from '../../functions/api/list-chat-changes.ts';
import { newToken } from '../../lib/model/token.ts';
import type { Write } from '../../lib/model/write.ts';
import { noAccess } from '../support/client/access.ts';
import { allPages } from '../support/client/all-pages.ts';
import { answer, apiEvent } from '../support/client/api-event.ts';
import { testCursors } from '../support/client/cursors.ts';
import {
  applicationWrite,
  chatWrite,
  deletionWrite,
  messageWrite,
  messageWrites,
  numbers,
} from '../support/histories/writes.ts';
import { openWorkerServices, type TestServices } from '../support/servers/worker-services.ts';

interface Page {
  data: { change: number; type: string; message: { number: number } }[];
  change: number;
  more: boolean;
  cursor?: string;
}

describe('the lists of changes', () => {
  const token = newToken();
  let opened: TestServices;
  beforeEach(async () => {
    opened = await openWorkerServices();
    await opened.services.store.merge([applicationWrite(token), chatWrite(token, 1)]);
  });
  afterEach(() => opened.file.remove());

  const ask = (
    query: Record<string, string>,
    chat = '1',
    id: 'listChatChanges' | 'listApplicationChanges' = 'listChatChanges',
  ) => {
    const ledger = {
      application: async () => undefined,
      chat: async (_token: string, number: number) =>
        number === 2 ? { createdAt: 1, updatedAt: 1, name: null, metadata: null } : undefined,
    };
    const services = { store: opened.services.store, ledger, cursors: testCursors(), access: noAccess } as never;
    const handler = id === 'listChatChanges' ? listChatChanges(services) : listApplicationChanges(services);
    return answer(handler, apiEvent(id, { params: { token, chat_number: chat }, query }));
  };
  const page = async (query: Record<string, string>): Promise<Page> => {
    const { status, json, headers } = await ask(query);
    expect([status, headers.etag, headers.link]).toEqual([200, undefined, undefined]);
    return json as unknown as Page;
  };
  const numbersIn = ({ data }: Page) => data.map(({ message }) => message.number);
  /** Follows from the beginning, and returns all pages. */
  const follow = (limit: number) =>
    allPages(
      (last: Page | undefined) =>
        page({ after: String(last?.change ?? 0), limit: String(limit), ...(last?.cursor && { cursor: last.cursor }) }),
      ({ more }) => more,
    );

  test('a client that follows from 0 gets each message once, in whole versions, with every limit', async () => {
    const { store } = opened.services;
    await store.merge(messageWrites(token, 1, 1, 3));
    await store.merge([messageWrite(token, 1, 4)]);
    await store.merge(messageWrites(token, 1, 5, 12));
    await store.merge([messageWrite(token, 1, 2, { revision: 1 }), deletionWrite(token, 1, 4)]);
    for (const limit of [1, 2, 3, 4, 7, 8, 100, 1_000]) {
      const pages = await follow(limit);
      expect(pages.flatMap(numbersIn), `limit ${limit}`).toEqual([1, 3, ...numbers(5, 12), 2, 4]);
      expect(pages.at(-1)).toMatchObject({ change: 4, more: false });
      for (const each of pages) {
        expect(each.data.length).toBeLessThanOrEqual(limit);
        const versions = each.data.map(({ change }) => change);
        if (each.cursor === undefined) expect(Math.max(...versions)).toBeLessThanOrEqual(each.change);
        else expect(each.change).toBe(Math.min(...versions) - 1);
      }
    }
    const types = (await page({ after: '3' })).data.map(({ change, type }) => `${change} ${type}`);
    expect(types).toEqual(['4 message.edited', '4 message.deleted']);
  });

  test('without `after`, the response has the present version; with an `after` above it, a lower version than was asked for', async () => {
    expect(await page({})).toEqual({ data: [], change: 0, more: false });
    await opened.services.store.merge(messageWrites(token, 1, 1, 3));
    for (const query of [{}, { after: '1' }, { after: '99' }, { after: '9007199254740993' }])
      expect(await page(query as Record<string, string>)).toEqual({ data: [], change: 1, more: false });
  });

  test('a cursor counts only for the same chat and `limit`, and up to its version', async () => {
    await opened.services.store.merge([
      chatWrite(token, 3),
      ...messageWrites(token, 1, 1, 5),
      ...messageWrites(token, 3, 1, 5),
    ]);
    const { cursor = '' } = await page({ after: '0', limit: '2' });
    expect(numbersIn(await page({ after: '0', limit: '2', cursor }))).toEqual([3, 4]);
    // Versions without changes of their own, which lie between `after` and the version, make no difference.
    await opened.services.store.merge(
      messageWrites(token, 1, 1, 5).map((write) => ({ ...write, revision: 1 }) as Write),
    );
    const later = await page({ after: '0', limit: '2' });
    expect(later).toMatchObject({ change: 1, more: true });
    for (const after of ['0', '1'])
      expect(numbersIn(await page({ after, limit: '2', cursor: later.cursor ?? '' }))).toEqual([3, 4]);
    expect((await ask({ after: '2', limit: '2', cursor: later.cursor ?? '' })).status).toBe(422);
    for (const query of [
      { after: '0', limit: '3', cursor },
      { after: '1', limit: '2', cursor },
      { limit: '2', cursor },
      { after: '0', cursor },
    ]) {
      const { status, json } = await ask(query as Record<string, string>);
      expect([status, json.errors]).toMatchObject([422, [{ pointer: 'cursor' }]]);
    }
    expect((await ask({ after: '0', limit: '2', cursor }, '3')).status).toBe(422);
    expect((await ask({ after: '0', limit: '2', cursor }, '1', 'listApplicationChanges')).status).toBe(422);
  });

  test('a chat that is accepted but not stored has no changes yet; a deleted or unknown one is not found', async () => {
    expect((await ask({ after: '0' }, '2')).json).toEqual({ data: [], change: 0, more: false });
    expect((await ask({ after: '0' }, '3')).json.code).toBe('chat_not_found');
    await opened.services.store.merge([deletionWrite(token, 1)]);
    expect((await ask({ after: '0' })).json.code).toBe('chat_not_found');
    expect((await ask({ after: '0' }, '1', 'listApplicationChanges')).json).toMatchObject({
      data: [{ change: 2, type: 'chat.deleted', chat: { number: 1 } }],
      change: 2,
    });
    await opened.services.store.merge([deletionWrite(token)]);
    expect((await ask({ after: '0' }, '1', 'listApplicationChanges')).json.code).toBe('application_not_found');
  });

  test('a version and a limit that are not in their range are named', async () => {
    expect((await ask({ after: '-1' })).json.errors).toMatchObject([{ pointer: 'after' }]);
    expect((await ask({ limit: '1001' })).json.errors).toMatchObject([{ pointer: 'limit' }]);
  });
});
