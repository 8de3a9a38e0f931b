import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ChatSystem, ChatSystemError, type Settings } from '../../client/src/index.ts';
import { type Route, routes } from '../../lib/api/routes.ts';

interface Sent {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

const url = 'https://chat.example.com/prefix/v1';

/** Returns a system whose requests get these responses, one after the other, and the requests that it has sent. */
function scripted(responses: (() => Response | Promise<Response>)[], settings: Partial<Settings> = {}) {
  const sent: Sent[] = [];
  const send: typeof fetch = async (input, init) => {
    sent.push({
      method: init?.method ?? 'GET',
      path: String(input).replace(url, ''),
      headers: init?.headers as Record<string, string>,
      body: typeof init?.body === 'string' ? JSON.parse(init.body) : undefined,
    });
    const next = responses.length > 1 ? responses.shift() : responses[0];
    init?.signal?.throwIfAborted();
    return (next as () => Response)();
  };
  return { system: new ChatSystem({ url, token: 'a-token', fetch: send, ...settings }), sent };
}

const json =
  (body: unknown, status = 200) =>
  () =>
    Response.json(body, { status });
const empty = () => new Response(null, { status: 204 });
const problem =
  (status: number, code: string, headers: Record<string, string> = {}, more: object = {}) =>
  () =>
    new Response(JSON.stringify({ type: 'urn:x', title: 'x', status, code, detail: `about ${code}`, ...more }), {
      status,
      headers: { 'content-type': 'application/problem+json', 'x-request-id': 'r-1', ...headers },
    });
const offline = () => {
  throw new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } });
};

/** Returns the error with which the promise is rejected. */
const errorOf = (promise: Promise<unknown>): Promise<ChatSystemError> =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error) => error,
  );

describe('the client', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('the client retries a create with the same Idempotency-Key, and each call has another key', async () => {
    const { system, sent } = scripted([problem(503, 'unavailable'), offline, json({ number: 1 }, 201)]);
    const created = system.chat(7).send('Hello', { sender: 'ada', metadata: { order: 1042 } });
    await vi.runAllTimersAsync();
    expect(await created).toEqual({ number: 1 });
    await system.chat(7).send('Hello');
    const [key, ...others] = sent.map(({ headers }) => headers['idempotency-key']);
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(others).toEqual([key, key, expect.not.stringMatching(key as string)]);
    expect(sent[0]).toMatchObject({
      method: 'POST',
      path: '/applications/self/chats/7/messages',
      headers: { authorization: 'Bearer a-token', 'content-type': 'application/json' },
      body: { body: 'Hello', sender: 'ada', metadata: { order: 1042 } },
    });
  });

  test('the client sends what it was given, although the caller changes it during the call', async () => {
    const { system, sent } = scripted([problem(503, 'unavailable'), json({ data: [] }, 201)]);
    const messages = [{ body: 'Hello' }];
    const created = system.chat(7).sendAll(messages);
    messages.length = 0;
    await vi.advanceTimersByTimeAsync(0);
    messages.push({ body: 'Later' });
    await vi.runAllTimersAsync();
    await created;
    expect(sent.map(({ body }) => body)).toEqual(Array(2).fill({ messages: [{ body: 'Hello' }] }));
  });

  test('the client uses the Idempotency-Key of the caller, and sends none when it creates an access token', async () => {
    const { system, sent } = scripted([json({}, 201)]);
    await system.createChat({ name: 'Order 1042' }, { idempotencyKey: 'order-1042' });
    await system.createAccessToken({ can: ['read'] });
    expect(sent.map(({ headers }) => headers['idempotency-key'])).toEqual(['order-1042', undefined]);
  });

  test('the client throws a ChatSystemError with everything that the problem says', async () => {
    const errors = [{ pointer: '/body', detail: 'is required' }];
    const { system } = scripted([problem(422, 'validation_failed', {}, { errors })]);
    const error = await errorOf(system.chat(1).send(''));
    expect(error).toBeInstanceOf(ChatSystemError);
    expect(error).toMatchObject({
      name: 'ChatSystemError',
      message: 'validation_failed: about validation_failed',
      status: 422,
      code: 'validation_failed',
      detail: 'about validation_failed',
      errors,
      requestId: 'r-1',
    });
  });

  test.each([
    ['a page of a proxy', () => new Response('<html>', { status: 404 }), { status: 404, code: 'unexpected_response' }],
    ['a page of a portal', () => new Response('<html>'), { status: 200, code: 'unexpected_response' }],
    ['no response', offline, { status: 0, code: 'no_response', detail: 'ECONNREFUSED' }],
  ])('the client throws a ChatSystemError when it gets %s', async (_, respond, expected) => {
    const { system } = scripted([respond], { retryMs: 0 });
    const error = await errorOf(system.chat(1).get());
    expect(error).toBeInstanceOf(ChatSystemError);
    expect(error).toMatchObject(expected);
  });

  test.each([
    ['a rate limit', problem(429, 'too_many_requests', { 'retry-after': '7' }), 7_000],
    ['an outage', problem(503, 'unavailable', { 'retry-after': '3' }), 3_000],
    ['a gateway that reaches nothing', () => new Response('', { status: 502 }), 50],
    ['a gateway that gave up', () => new Response('', { status: 504 }), 50],
    ['a create that is in flight', problem(409, 'idempotency_in_flight', { 'retry-after': '1' }), 1_000],
    ['a message that is not stored yet', problem(404, 'message_pending', { 'retry-after': '1' }), 1_000],
  ])('the client retries after %s, but not before Retry-After allows it', async (_, respond, waitMs) => {
    const waits: number[] = [];
    const { system, sent } = scripted([respond, json({ number: 5 })], { onRetry: (_, delayMs) => waits.push(delayMs) });
    const read = system.chat(1).message(5);
    await vi.advanceTimersByTimeAsync(waitMs - 1);
    expect(sent).toHaveLength(1);
    await vi.runAllTimersAsync();
    expect(await read).toEqual({ number: 5 });
    expect(waits).toEqual([expect.toSatisfy((ms: number) => ms >= waitMs && ms <= Math.max(waitMs, 100))]);
  });

  test.each([400, 401, 403, 404, 409, 413, 422, 500])('the client does not retry after status %s', async (status) => {
    const { system, sent } = scripted([problem(status, 'of_a_later_version')]);
    expect(await errorOf(system.getApplication())).toMatchObject({ status, code: 'of_a_later_version' });
    expect(sent).toHaveLength(1);
  });

  test('the client backs off, and gives up after `retryMs`', async () => {
    const delays: number[] = [];
    const onRetry = (_: unknown, delayMs: number) => void delays.push(delayMs);
    const { system } = scripted([problem(503, 'unavailable')], { retryMs: 30_000, onRetry });
    const failed = errorOf(system.getApplication());
    await vi.runAllTimersAsync();
    expect(await failed).toMatchObject({ status: 503, code: 'unavailable' });
    for (const [i, delayMs] of delays.entries()) {
      const longest = Math.min(100 * 2 ** i, 5_000);
      expect(delayMs).toBeGreaterThanOrEqual(longest / 2);
      expect(delayMs).toBeLessThanOrEqual(longest);
    }
    const total = delays.reduce((sum, delayMs) => sum + delayMs);
    expect(total).toBeGreaterThan(25_000);
    expect(total).toBeLessThanOrEqual(30_000);
  });

  test('a server that says nothing is a failure like any other', async () => {
    const hangs: typeof fetch = (_, init) =>
      new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)));
    const system = new ChatSystem({ url, token: 't', timeoutMs: 1_000, retryMs: 0, fetch: hangs });
    const failed = errorOf(system.getApplication());
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await failed).toMatchObject({ status: 0, code: 'no_response', detail: 'No response within 1000 ms' });
  });

  test('a wait that is longer than the longest timer lasts its whole time, and does not end at once', async () => {
    const month = `${31 * 86_400}`;
    const { system, sent } = scripted([problem(503, 'unavailable', { 'retry-after': month })]);
    const controller = new AbortController();
    const { signal } = controller;
    const waits = errorOf(system.chat(1).get({ signal, retryMs: Number.POSITIVE_INFINITY }));
    const hangs: typeof fetch = (_, init) =>
      new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)));
    const patient = new ChatSystem({ url, token: 't', timeoutMs: Number.POSITIVE_INFINITY, retryMs: 0, fetch: hangs });
    const hears = errorOf(patient.getApplication({ signal }));
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(sent).toHaveLength(1);
    controller.abort('enough');
    expect(await Promise.all([waits, hears])).toEqual(['enough', 'enough']);
  });

  test('a signal ends a call, even while the call waits for a retry, and the call throws the reason of the signal', async () => {
    const { system, sent } = scripted([problem(503, 'unavailable', { 'retry-after': '60' })]);
    const controller = new AbortController();
    const failed = errorOf(system.chat(1).send('Hello', { signal: controller.signal, retryMs: 600_000 }));
    await vi.advanceTimersByTimeAsync(1_000);
    controller.abort('enough');
    expect(await failed).toBe('enough');
    expect(vi.getTimerCount()).toBe(0);
    expect(await errorOf(system.chat(1).send('Hello', { signal: controller.signal }))).toBe('enough');
    expect(sent).toHaveLength(2);
  });

  test('a signal ends a call that waits for a token, and the other calls get the token', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const { system, sent } = scripted([json({ name: 'mine' })], { token: () => promise });
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = [errorOf(system.getApplication({ signal })), errorOf(system.follow({ after: 1, signal }).next())];
    const other = system.getApplication();
    await vi.advanceTimersByTimeAsync(1_000);
    controller.abort('enough');
    expect(await Promise.all(aborted)).toEqual(['enough', 'enough']);
    expect(await errorOf(system.getApplication({ signal }))).toBe('enough');
    resolve('a-token');
    expect(await other).toEqual({ name: 'mine' });
    expect(sent).toHaveLength(1);
  });

  test('a delete succeeds when an earlier attempt may already have deleted the thing', async () => {
    const { system } = scripted([problem(503, 'unavailable'), problem(404, 'message_not_found')]);
    const deleted = system.chat(1).deleteMessage(3);
    await vi.runAllTimersAsync();
    expect(await deleted).toBeUndefined();
  });

  test('deleting an application succeeds when an earlier attempt may already have deleted it, which ends its token', async () => {
    const { system } = scripted([offline, problem(401, 'access_token_invalid')]);
    const deleted = system.deleteApplication();
    await vi.runAllTimersAsync();
    expect(await deleted).toBeUndefined();
    const another = scripted([offline, problem(401, 'access_token_invalid')]);
    const failed = errorOf(another.system.chat(1).delete());
    await vi.runAllTimersAsync();
    expect(await failed).toMatchObject({ code: 'access_token_invalid' });
  });

  test.each([
    ['was refused by a rate limit', problem(429, 'too_many_requests')],
    ['found it pending', problem(404, 'message_pending')],
  ])('a delete of a missing message fails although the attempt before it %s', async (_, respond) => {
    const { system } = scripted([respond, problem(404, 'message_not_found')]);
    const failed = errorOf(system.chat(1).deleteMessage(3));
    await vi.runAllTimersAsync();
    expect(await failed).toMatchObject({ code: 'message_not_found' });
  });

  test('the client asks for another token when the API refuses one, once for all calls that need it', async () => {
    let given = 0;
    const valid = (init: RequestInit | undefined) =>
      new Headers(init?.headers).get('authorization') === 'Bearer token-2';
    const system = new ChatSystem({
      url,
      token: async () => `token-${++given}`,
      fetch: async (_, init) => (valid(init) ? json({ name: 'mine' })() : problem(401, 'access_token_expired')()),
    });
    const calls = [system.getApplication(), system.getApplication(), system.getApplication()];
    expect(await Promise.all(calls)).toEqual([{ name: 'mine' }, { name: 'mine' }, { name: 'mine' }]);
    expect(given).toBe(2);
    expect(await system.getApplication()).toEqual({ name: 'mine' });
    expect(given).toBe(2);
  });

  test('a call asks for another token only once', async () => {
    let given = 0;
    const { system, sent } = scripted([problem(401, 'access_token_invalid')], { token: () => `token-${++given}` });
    expect(await errorOf(system.getApplication())).toMatchObject({ status: 401, code: 'access_token_invalid' });
    expect(sent.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  test('when the token function fails, the call fails with that error, and the next call asks again', async () => {
    let asked = 0;
    const token = () => {
      if (++asked === 1) throw new Error('no token');
      return 'a-token';
    };
    const { system } = scripted([json({ name: 'mine' })], { token });
    expect(await errorOf(system.getApplication())).toEqual(new Error('no token'));
    expect(await system.getApplication()).toEqual({ name: 'mine' });
  });

  test('the client sends the admin key, and no token, exactly where the admin key is needed', async () => {
    const { system, sent } = scripted([json({ data: [], next: null })], { adminKey: 'a-key' });
    await system.createApplication('Support desk');
    await system.applications().page();
    await system.getApplication();
    expect(sent.map(({ headers }) => [headers['x-api-key'], headers.authorization])).toEqual([
      ['a-key', undefined],
      ['a-key', undefined],
      [undefined, 'Bearer a-token'],
    ]);
  });

  test('a list reads only the pages that the caller needs, and sends its options with each', async () => {
    const pages = [json({ data: [3, 2], next: 'c&d', total: 3 }), json({ data: [1], next: null, total: 3 })];
    const { system, sent } = scripted([...pages, ...pages]);
    const list = system.chat(1).search('a b', { limit: 2 });
    expect((await list.page()).total).toBe(3);
    expect(sent.map(({ path }) => path)).toEqual(['/applications/self/chats/1/messages/search?limit=2&q=a+b']);
    const { system: other, sent: sentByOther } = scripted(pages);
    const numbers: unknown[] = [];
    for await (const message of other.chat(1).messages({ order: 'desc', after: 0 })) numbers.push(message);
    expect(numbers).toEqual([3, 2, 1]);
    expect(sentByOther.map(({ path }) => path)).toEqual([
      '/applications/self/chats/1/messages?order=desc&after=0',
      '/applications/self/chats/1/messages?order=desc&after=0&cursor=c%26d',
    ]);
    const first = scripted([json({ data: [1, 2], next: 'more' })]);
    for await (const _ of first.system.chats()) break;
    expect(first.sent).toHaveLength(1);
  });

  test('a wrong base URL is noticed at once', () => {
    expect(() => new ChatSystem({ url: 'chat.example.com' })).toThrow(TypeError);
  });

  test('an empty response is returned as undefined', async () => {
    const { system } = scripted([empty]);
    expect(await system.chat(1).delete()).toBeUndefined();
  });
});

test('the client has a call for every route of the API, except those that serve a page or document', async () => {
  const { system, sent } = scripted([json({ data: [], next: null })]);
  const chat = system.chat(1);
  await system.createApplication('Support desk');
  await system.applications().page();
  await system.getApplication();
  await system.editApplication({ name: 'Help desk' });
  await system.deleteApplication();
  await system.createAccessToken();
  await system.endAccessTokens();
  await system.createChat();
  await system.chats().page();
  await system.search('text').page();
  await system.changes();
  await chat.get();
  await chat.edit({ name: null });
  await chat.delete();
  await chat.send('Hello');
  await chat.sendAll([{ body: 'Hello' }]);
  await chat.messages().page();
  await chat.message(1);
  await chat.editMessage(1, { body: 'Hello' });
  await chat.deleteMessage(1);
  await chat.search('text').page();
  await chat.changes();
  await system.health();
  // Following asks for the feed.
  const called = new Set(['GET /applications/{token}/feed']);
  for (const { method, path } of sent)
    for (const [template, pattern] of patterns) if (pattern.test(path)) called.add(`${method} ${template}`);
  const missing = Object.values<Route>(routes).filter(
    ({ method, path, response }) => !response.document && !called.has(`${method} ${path}`),
  );
  expect(missing).toEqual([]);
});

const patterns = Object.values<Route>(routes).map(({ path }): [string, RegExp] => [
  path,
  new RegExp(`^${path.replace('{token}', 'self').replace(/\{\w+\}/g, '1')}(\\?|$)`),
]);
