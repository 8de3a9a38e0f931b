import fc from 'fast-check';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { type AppsyncTransport, connectAppsync } from '../../client/src/appsync.ts';
import { ChatSystem } from '../../client/src/index.ts';
import { Requests } from '../../client/src/requests.ts';
import { connectSse, EventStreamParser } from '../../client/src/sse.ts';
import type { WireEvent } from '../../client/src/wire.ts';

const opening = {
  positions: new Map([
    [0, 5],
    [1, 17],
    [2, 0],
  ]),
  heartbeatSeconds: 30,
  signal: undefined,
};

test('a stream is parsed alike wherever it is cut, with every kind of line end', () => {
  const text = (end: string) =>
    [
      'retry: 1000',
      'id: a',
      '',
      ': a comment',
      'event: changes',
      'data: {"change": 1,',
      'data:  "data": []}',
      'id: b',
      '',
      'event: heartbeat',
      '',
      'data: alone',
      '',
      'event: end',
      'data',
      'data:é:x',
      'unknown: x',
      '',
      'event: unfinished',
      'data: x',
    ].join(end);
  const expected = [
    { event: 'changes', data: '{"change": 1,\n "data": []}' },
    { event: '', data: 'alone' },
    { event: 'end', data: '\né:x' },
  ];
  const cuts = fc.array(fc.nat({ max: text('\r\n').length }));
  fc.assert(
    fc.property(fc.constantFrom('\n', '\r\n', '\r'), cuts, (end, at) => {
      const stream = text(end);
      const parser = new EventStreamParser();
      const bounds = [0, ...at.toSorted((a, b) => a - b), stream.length];
      const events = bounds.slice(1).flatMap((to, i) => parser.push(stream.slice(bounds[i], to)));
      // The last line of a stream that ends lines with CR waits for a LF that may follow.
      expect(events).toEqual(expected);
    }),
  );
});

test('without a feed, changes are read every second, and less often while nothing changes; a feed that is added later is noticed', async () => {
  vi.useFakeTimers();
  let [version, reads, feeds] = [0, 0, 0];
  const statuses: boolean[] = [];
  const send: typeof fetch = async (input) => {
    const { pathname } = new URL(String(input));
    if (pathname.endsWith('/feed')) {
      feeds++;
      return Response.json({ transports: [{ type: 'of a later version', url: 'x' }], heartbeat_seconds: 30 });
    }
    reads++;
    const data = [{ change: version, type: 'message.deleted', message: { number: version } }];
    return Response.json({ data: version > 0 ? data : [], change: version, more: false });
  };
  const ending = new AbortController();
  const steps: unknown[] = [];
  const follow = async () => {
    const onStatus = ({ live }: { live: boolean }) => void statuses.push(live);
    const { signal } = ending;
    for await (const step of new ChatSystem({ url, fetch: send }).chat(1).follow({ after: 0, signal, onStatus }))
      steps.push(step);
  };
  const following = follow().catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(60_000);
  // After 1, 2, 4, 8, 10, 10 … s.
  expect(reads).toBeGreaterThan(7);
  expect(reads).toBeLessThan(12);
  version = 1;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(steps).toEqual([{ chat_number: 1, change: 1, data: [expect.objectContaining({ change: 1 })] }]);
  version = 2;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(steps).toHaveLength(2);
  expect(feeds).toBe(1);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(feeds).toBe(2);
  expect(new Set(statuses)).toEqual(new Set([true]));
  ending.abort('enough');
  expect(await following).toBe('enough');
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A server of one stream, and the requests that it got. */
function streaming(status = 200, body = '') {
  const requests: { url: URL; init: RequestInit | undefined }[] = [];
  let stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  let pulls = 0;
  const send: typeof fetch = async (url, init) => {
    requests.push({ url: new URL(String(url)), init });
    if (status !== 200) return new Response(body, { status });
    const readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          stream = controller;
          init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason));
        },
        pull: () => void pulls++,
      },
      { highWaterMark: 0 },
    );
    return new Response(readable, { headers: { 'content-type': 'text/event-stream' } });
  };
  const write = (event: string, data: unknown) =>
    stream?.enqueue(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  return { send, requests, write, end: () => stream?.close(), pulls: () => pulls };
}

const url = 'https://chat.example.com/v1';
const feed = () => new URL(`${url}/applications/self/feed`);

test('a stream is asked for what is followed, with the token in a header', async () => {
  const { send, requests } = streaming();
  const connection = await connectSse(new Requests({ url, token: 'a-token', fetch: send }), feed(), opening);
  expect(connection).toMatchObject({ isOrdered: true, silenceMs: 60_000 });
  expect(requests[0]?.url.href).toBe(`${url}/applications/self/feed?application=5&chat=1%3A17&chat=2%3A0`);
  expect(requests[0]?.init?.headers).toEqual({ accept: 'text/event-stream', authorization: 'Bearer a-token' });
  connection.close();
  expect(requests[0]?.init?.signal?.aborted).toBe(true);
});

test('the events of a stream are steps, versions and ends, and the stream is read only when an event is requested', async () => {
  const { send, write, end, pulls } = streaming();
  const connection = await connectSse(new Requests({ url, fetch: send }), feed(), opening);
  expect(await connection.next(10)).toBeUndefined();
  expect(pulls()).toBe(1);
  const change = { change: 18, type: 'message.deleted', message: { number: 1 } };
  write('changes', { chat_number: 1, change: 18, data: [change] });
  write('changes', { change: 6, truncated: true });
  write('heartbeat', { changes: { 1: 18, 2: 0 }, application: 6 });
  write('end', { code: 'chat_not_found', chat_number: 2 });
  write('of a later version', {});
  write('end', { code: 'stopping' });
  end();
  const events: (WireEvent | undefined)[] = [];
  for (let i = 0; i < 6; i++) events.push(await connection.next(1_000));
  expect(events).toEqual([
    { type: 'step', chat: 1, change: 18, data: [change] },
    { type: 'step', chat: 0, change: 6 },
    {
      type: 'versions',
      versions: [
        [1, 18],
        [2, 0],
        [0, 6],
      ],
    },
    { type: 'end', code: 'chat_not_found', chat: 2 },
    { type: 'alive' },
    { type: 'end', code: 'stopping' },
  ]);
  await expect(connection.next(1_000)).rejects.toMatchObject({ status: 0, code: 'no_response' });
});

test('another token is asked for after a stream whose token ended, or was refused', async () => {
  let given = 0;
  const token = () => `token-${++given}`;
  const { send, write } = streaming();
  const requests = new Requests({ url, token, fetch: send });
  const connection = await connectSse(requests, feed(), opening);
  write('end', { code: 'access_token_expired' });
  expect(await connection.next(1_000)).toEqual({ type: 'end', code: 'access_token_expired' });
  expect(await requests.token()).toBe('token-2');
  const problem = JSON.stringify({ code: 'access_token_invalid', detail: 'x' });
  const refusing = new Requests({ url, token, fetch: streaming(401, problem).send });
  await expect(connectSse(refusing, feed(), opening)).rejects.toMatchObject({ code: 'access_token_invalid' });
  expect(await refusing.token()).toBe('token-4');
});

test('an aborted signal ends a stream with its reason', async () => {
  const { send } = streaming();
  const controller = new AbortController();
  const requests = new Requests({ url, fetch: send });
  const connection = await connectSse(requests, feed(), { ...opening, signal: controller.signal });
  const next = connection.next(60_000);
  controller.abort('enough');
  await expect(next).rejects.toBe('enough');
});

const transport: AppsyncTransport = {
  type: 'appsync-events',
  url: 'wss://x.appsync-realtime-api.eu-central-1.amazonaws.com/event/realtime',
  http_url: 'https://x.appsync-api.eu-central-1.amazonaws.com/event',
  channels: { chat: '/chats/id/{chat_number}', application: '/applications/id' },
  authorization: { Authorization: 'a-token?>' },
};

/** A WebSocket, as far as the client uses one. The test is the server. */
class ScriptedSocket {
  static last: ScriptedSocket;
  readonly url: string;
  readonly protocols: string[];
  readonly sent: { type: string; id?: string; channel?: string; authorization?: unknown }[] = [];
  isClosed = false;
  onopen = () => {};
  onmessage = (_: { data: string }) => {};
  onclose = (_: { code: number }) => {};
  onerror = () => {};
  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
    ScriptedSocket.last = this;
    queueMicrotask(() => this.onopen());
  }
  send(text: string): void {
    const message = JSON.parse(text);
    this.sent.push(message);
    queueMicrotask(() => this.respond(message));
  }
  respond({ type, id }: { type: string; id?: string }): void {
    if (type === 'connection_init') this.say({ type: 'connection_ack', connectionTimeoutMs: 300_000 });
    if (type === 'subscribe') this.say({ type: 'subscribe_success', id });
  }
  say(message: unknown): void {
    this.onmessage({ data: JSON.stringify(message) });
  }
  close(): void {
    this.isClosed = true;
  }
}

async function connected(Socket: typeof ScriptedSocket = ScriptedSocket, signal?: AbortSignal) {
  vi.stubGlobal('WebSocket', Socket);
  const connection = await connectAppsync(transport, { ...opening, signal });
  onTestFinished(() => connection.close());
  return { connection, socket: ScriptedSocket.last };
}

test('AppSync Events is asked for the channels of what is followed, with the authorization of the feed', async () => {
  const { connection, socket } = await connected();
  expect(connection).toMatchObject({
    isOrdered: false,
    silenceMs: 300_000,
    checkMs: { first: 30_000, longest: 300_000 },
  });
  const authorization = { host: 'x.appsync-api.eu-central-1.amazonaws.com', Authorization: 'a-token?>' };
  expect(socket.url).toBe(transport.url);
  const [protocol, header = ''] = socket.protocols;
  expect(protocol).toBe('aws-appsync-event-ws');
  expect(header).toMatch(/^header-[\w-]+$/);
  expect(JSON.parse(Buffer.from(header.slice('header-'.length), 'base64url').toString())).toEqual(authorization);
  expect(socket.sent).toEqual([
    { type: 'connection_init' },
    { type: 'subscribe', id: '0', channel: '/applications/id', authorization },
    { type: 'subscribe', id: '1', channel: '/chats/id/1', authorization },
    { type: 'subscribe', id: '2', channel: '/chats/id/2', authorization },
  ]);
});

test('AppSync Events delivers steps, alone or in lists, and keep-alive messages', async () => {
  const { connection, socket } = await connected();
  const step = { chat_number: 1, change: 18, data: [{ change: 18 }] };
  socket.say({ type: 'data', id: '1', event: JSON.stringify(step) });
  socket.say({ type: 'data', id: '0', event: [JSON.stringify({ change: 6, truncated: true })] });
  socket.say({ type: 'ka' });
  expect(await connection.next(1)).toEqual({ type: 'step', chat: 1, change: 18, data: [{ change: 18 }] });
  expect(await connection.next(1)).toEqual({ type: 'step', chat: 0, change: 6 });
  expect(await connection.next(1)).toEqual({ type: 'alive' });
  expect(await connection.next(1)).toBeUndefined();
  const next = connection.next(60_000);
  socket.say({ type: 'ka' });
  expect(await next).toEqual({ type: 'alive' });
  socket.onclose({ code: 1006 });
  await expect(connection.next(60_000)).rejects.toMatchObject({ status: 0, code: 'no_response' });
});

test('steps that wait for a slow consumer take little memory: the later ones have no data', async () => {
  const { connection, socket } = await connected();
  for (let change = 18; change < 1_018; change++)
    socket.say({ type: 'data', id: '1', event: JSON.stringify({ chat_number: 1, change, data: [{ change }] }) });
  const events: (WireEvent | undefined)[] = [];
  for (let i = 0; i < 1_000; i++) events.push(await connection.next(1));
  expect(events.filter((event) => event?.type === 'step' && event.data)).toHaveLength(100);
  expect(events.at(-1)).toEqual({ type: 'step', chat: 1, change: 1_017 });
});

test.each(['connection_error', 'subscribe_error'])('a refused connection fails and is closed: %s', async (type) => {
  class Refusing extends ScriptedSocket {
    override respond({ type: asked }: { type: string }): void {
      const errors = [{ errorType: 'UnauthorizedException', message: 'no' }];
      if (type === 'connection_error') this.say({ type, errors });
      else if (asked === 'connection_init') this.say({ type: 'connection_ack' });
      else this.say({ type, id: '1', errors });
    }
  }
  await expect(connected(Refusing)).rejects.toMatchObject({
    code: 'no_response',
    detail: 'AppSync Events: UnauthorizedException no',
  });
  expect(ScriptedSocket.last.isClosed).toBe(true);
});

test('a connection that is not acknowledged fails, and an aborted signal ends one', async () => {
  class Silent extends ScriptedSocket {
    override respond(): void {}
  }
  vi.useFakeTimers();
  const failed = connected(Silent).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await failed).toMatchObject({ code: 'no_response' });
  const controller = new AbortController();
  const { connection } = await connected(ScriptedSocket, controller.signal);
  const next = connection.next(60_000);
  controller.abort('enough');
  await expect(next).rejects.toBe('enough');
});

test('an unknown event counts as a lost connection', async () => {
  const { send, write } = streaming();
  const stream = await connectSse(new Requests({ url, fetch: send }), feed(), opening);
  write('changes', undefined);
  await expect(stream.next(1_000)).rejects.toMatchObject({ status: 0, code: 'no_response' });
  for (const data of ['<html>', '{}', '{"type":"data","event":"<html>"}']) {
    const { connection, socket } = await connected();
    socket.onmessage({ data });
    await expect(connection.next(1_000)).rejects.toMatchObject({ status: 0, code: 'no_response' });
  }
});

test('a follower whose access token was ended continues in the channels of its next access token', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', ScriptedSocket);
  let [given, ended] = [0, 0];
  const send: typeof fetch = async (input, init) => {
    const bearer = new Headers(init?.headers).get('authorization');
    if (Number(bearer?.slice('Bearer '.length)) <= ended)
      return Response.json({ code: 'access_token_invalid', detail: 'x' }, { status: 401 });
    if (!new URL(String(input)).pathname.endsWith('/feed')) return Response.json({ data: [], change: 5, more: false });
    const transports = [{ ...transport, channels: { ...transport.channels, chat: `/chats/${bearer}/{chat_number}` } }];
    return Response.json({ transports, heartbeat_seconds: 30 });
  };
  const ending = new AbortController();
  const system = new ChatSystem({ url, token: () => `${++given}`, fetch: send });
  const step = system.chat(1).follow({ after: 5, signal: ending.signal }).next();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ScriptedSocket.last.sent.at(-1)).toMatchObject({ channel: '/chats/Bearer 1/1' });
  const { last: first } = ScriptedSocket;
  ended = 1;
  // The client notices it when it reads what may have been lost.
  await vi.advanceTimersByTimeAsync(60_000);
  expect(first.isClosed).toBe(true);
  expect(ScriptedSocket.last.sent.at(-1)).toMatchObject({ channel: '/chats/Bearer 2/1' });
  const data = [{ change: 6, type: 'message.deleted', message: { number: 1 } }];
  ScriptedSocket.last.say({ type: 'data', id: '1', event: JSON.stringify({ chat_number: 1, change: 6, data }) });
  expect(await step).toMatchObject({ value: { change: 6, data } });
  expect(given).toBe(2);
  ending.abort();
});

test('the lost last step of a chat is noticed, however many steps of another chat come', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', ScriptedSocket);
  const change = (version: number) => ({ change: version, type: 'message.deleted', message: { number: version } });
  const versions = new Map([
    [1, 0],
    [2, 0],
  ]);
  let reads = 0;
  const send: typeof fetch = async (input) => {
    const { pathname, searchParams } = new URL(String(input));
    if (pathname.endsWith('/feed')) return Response.json({ transports: [transport], heartbeat_seconds: 30 });
    reads++;
    const version = versions.get(Number(/chats\/(\d)/.exec(pathname)?.[1])) ?? 0;
    const data = Number(searchParams.get('after')) < version ? [change(version)] : [];
    return Response.json({ data, change: version, more: false });
  };
  const ending = new AbortController();
  const steps: [number | undefined, number][] = [];
  const follow = async () => {
    const followed = new ChatSystem({ url, token: 'x', fetch: send }).followAll(
      { chats: { 1: 0, 2: 0 } },
      { signal: ending.signal },
    );
    for await (const step of followed) steps.push([step.chat_number, step.change]);
  };
  const following = follow().catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(1_000);
  versions.set(2, 1);
  reads = 0;
  for (let version = 1; version <= 60; version++) {
    versions.set(1, version);
    const step = { chat_number: 1, change: version, data: [change(version)] };
    ScriptedSocket.last.say({ type: 'data', id: '1', event: JSON.stringify(step) });
    await vi.advanceTimersByTimeAsync(10_000);
    if (version === 4) expect(steps).toContainEqual([2, 1]);
  }
  expect(steps.filter(([chat]) => chat === 1)).toHaveLength(60);
  expect(steps.filter(([chat]) => chat === 2)).toHaveLength(1);
  // Only the quiet chat is read, and less and less often.
  expect(reads).toBeLessThan(7);
  ending.abort('enough');
  expect(await following).toBe('enough');
});
