import { afterEach, describe, expect, test, vi } from 'vitest';
import { createChat } from '../../functions/api/create-chat.ts';
import { createMessages } from '../../functions/api/create-messages.ts';
import { deleteChat } from '../../functions/api/delete-chat.ts';
import { editMessage } from '../../functions/api/edit-message.ts';
import { getChat } from '../../functions/api/get-chat.ts';
import { getHealth } from '../../functions/api/get-health.ts';
import { log, logEvents, setLogLevel } from '../../functions/runtime/observe/log.ts';
import type { Services } from '../../functions/runtime/services.ts';
import { ProblemDocument } from '../../lib/api/responses.ts';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import { NotFound, Unavailable } from '../../lib/model/errors.ts';
import { noAccess } from '../support/client/access.ts';
import { type Answered, answer, apiEvent, type RequestParts } from '../support/client/api-event.ts';

setLogLevel('silent');
afterEach(() => {
  vi.restoreAllMocks();
});

const chat = { number: 1, metadata: null, name: 'a chat', messagesCount: 3, createdAt: 0, updatedAt: 1_500 };
const readable = { store: { chat: async () => chat } } as unknown as Services;
const accepting = {
  createChat: async () => ({ number: 7, at: 1_000 }),
  createMessages: async () => ({ first: 5, at: 1_000 }),
  editMessage: async () => ({ at: 2_000 }),
  deleteChat: async () => undefined,
} as unknown as Ledger;
/** The application's own token edits without asking the store. */
const noStore = {} as Services['store'];
/** Returns a ledger whose every call fails with this error. */
const failing = (error: unknown) =>
  ({
    ledger: new Proxy({}, { get: () => () => Promise.reject(error) }) as Ledger,
    access: noAccess,
  }) satisfies Partial<Services>;

const expectCommonHeaders = ({ headers }: Answered) =>
  expect(headers).toMatchObject({
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'Date, ETag, Link, Location, Retry-After, x-request-id',
    'x-content-type-options': 'nosniff',
    'x-request-id': expect.stringMatching(/\S/),
  });

describe('a response', () => {
  test('a create returns the status of the route table, JSON, and the URL of the new resource', async () => {
    const created = await answer(
      createChat({ ledger: accepting, access: noAccess }),
      apiEvent('createChat', { body: { name: 'x' } }),
    );
    expect(created).toMatchObject({
      status: 201,
      headers: { location: 'chats/7', 'content-type': 'application/json', 'cache-control': 'private, no-cache' },
      json: {
        number: 7,
        name: 'x',
        messages_count: 0,
        created_at: '1970-01-01T00:00:01.000Z',
        updated_at: '1970-01-01T00:00:01.000Z',
      },
    });
    expectCommonHeaders(created);
  });

  test('a batch returns its messages in order, with consecutive numbers', async () => {
    const parts = { body: { messages: [{ body: 'a' }, { body: 'b' }] } };
    const { json, headers } = await answer(
      createMessages({ ledger: accepting, access: noAccess }),
      apiEvent('createMessages', parts),
    );
    expect(json).toMatchObject({
      data: [
        { number: 5, body: 'a' },
        { number: 6, body: 'b' },
      ],
    });
    expect(headers).not.toHaveProperty('location');
  });

  test('an edit of a message returns no created_at, which only the store knows', async () => {
    const { json } = await answer(
      editMessage({ ledger: accepting, store: noStore, access: noAccess }),
      apiEvent('editMessage', { params: { message_number: '9' }, body: { body: 'new' } }),
    );
    expect(json).toEqual({ number: 9, body: 'new', updated_at: '1970-01-01T00:00:02.000Z' });
  });

  test('a deletion returns an empty body', async () => {
    const deleted = await answer(deleteChat({ ledger: accepting, access: noAccess }), apiEvent('deleteChat'));
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    expect(deleted.headers).not.toHaveProperty('content-type');
    expect(deleted.headers['cache-control']).toBe('private, no-cache');
    expectCommonHeaders(deleted);
  });

  test('each response has an id of its own', async () => {
    const { headers, json } = await answer(getHealth({}), apiEvent('getHealth'));
    const { headers: other } = await answer(getHealth({}), apiEvent('getHealth'));
    expect(headers['x-request-id']).not.toBe(other['x-request-id']);
    expect(json).toEqual({ status: 'ok' });
  });
});

describe('an ETag', () => {
  const read = (headers: Record<string, string> = {}, services = readable) =>
    answer(getChat(services), apiEvent('getChat', { headers }));

  test('an ETag is weak, and changes with the response', async () => {
    const { headers } = await read();
    expect(headers.etag).toMatch(/^W\/"[\w-]+"$/);
    expect((await read()).headers.etag).toBe(headers.etag);
    const renamed = { store: { chat: async () => ({ ...chat, name: 'renamed' }) } } as unknown as Services;
    expect((await read({}, renamed)).headers.etag).not.toBe(headers.etag);
  });

  test('a known ETag gets a 304 without a body, in any spelling of If-None-Match', async () => {
    const { etag } = (await read()).headers as { etag: string };
    const strong = etag.replace('W/', '');
    for (const tags of [etag, strong, '*', `"other", ${etag}`, `${strong},"other"`, ` ${etag} `]) {
      const answered = await read({ 'If-None-Match': tags });
      expect([answered.status, answered.text]).toEqual([304, '']);
      expect(answered.headers).toMatchObject({ etag, 'cache-control': 'private, no-cache' });
      expectCommonHeaders(answered);
    }
    for (const tags of ['"other"', '', `${etag}x`, strong.slice(1, -1), '"a,*,b"', '*, "other"', `"a" ${etag}`])
      expect((await read({ 'If-None-Match': tags })).status).toBe(200);
  });
});

describe('a problem', () => {
  const refused = (error: unknown, parts: RequestParts = {}) =>
    answer(deleteChat(failing(error)), apiEvent('deleteChat', parts));

  test('every problem has the same shape', async () => {
    const others = [
      new NotFound('chat', 1),
      new Unavailable(new Error('disk full')),
      new Error('SQLITE_ERROR: no such table'),
      new TypeError('undefined is not a function'),
      'a string',
      undefined,
      { statusCode: 418, message: 'middy’s own' },
    ];
    const answers = await Promise.all([
      ...others.map((error) => refused(error)),
      refused(undefined, { params: { chat_number: 'x' } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 503, 500, 500, 500, 500, 500, 422]);
    for (const answered of answers) {
      expect(answered.headers).toMatchObject({
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
      });
      expect(ProblemDocument.strict().parse(answered.json)).toEqual(answered.json);
      expect(answered.json.request_id).toBe(answered.headers['x-request-id']);
      expect(answered.json.status).toBe(answered.status);
      expectCommonHeaders(answered);
    }
  });

  test('an internal error hides its cause from the client and logs it', async () => {
    const error = vi.spyOn(log, 'error').mockReturnValue();
    const cause = new Error('SQLITE_ERROR: no such table: secrets');
    const { text, headers, json } = await refused(cause);
    expect(text).not.toMatch(/secrets|SQLITE|stack/);
    expect(json.code).toBe('internal_error');
    expect(error).toHaveBeenCalledExactlyOnceWith(logEvents.failed, {
      request_id: headers['x-request-id'],
      error: cause,
    });
  });

  test('an outage of a dependency sends Retry-After and is logged with its cause', async () => {
    const error = vi.spyOn(log, 'error').mockReturnValue();
    const cause = new Error('disk full');
    const { status, headers, json } = await refused(new Unavailable(cause));
    expect([status, json.code]).toEqual([503, 'unavailable']);
    expect(headers['Retry-After'] ?? headers['retry-after']).toMatch(/^\d+$/);
    expect(error).toHaveBeenCalledExactlyOnceWith(logEvents.unavailable, {
      request_id: headers['x-request-id'],
      error: cause,
    });
  });

  test('an error of the client is not logged as an error', async () => {
    const error = vi.spyOn(log, 'error').mockReturnValue();
    await refused(new NotFound('chat', 1));
    expect(error).not.toHaveBeenCalled();
  });

  test('a function that runs out of time responds with unavailable', async () => {
    const timeout = new Error('The operation timed out');
    timeout.name = 'TimeoutError';
    expect((await refused(timeout)).json.code).toBe('unavailable');
  });
});
