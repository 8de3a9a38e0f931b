import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { Client } from '../support/client/client.ts';
import { EventStream, type StreamEvent } from '../support/client/event-stream.ts';
import '../support/client/problem-matcher.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { newDataDir, removeDataDir, startHost } from '../support/servers/host.ts';

// The streams of the embedded engine. test/e2e/api/feed.test.ts has what both engines have of the feed.

const folder = newDataDir();
const shared = await startHost(folder, '--log-level', 'error');
afterAll(async () => {
  await shared.stop();
  removeDataDir(folder);
});
const api = await Client.connect(shared.url);
const settled = { timeout: 20_000, interval: 20 };

let application: string;
let chat: string;
beforeEach(async () => {
  application = await api.newApplication();
  chat = await api.newChat(application);
});

/** Opens a stream of the application, which is closed after the test. */
async function follow(query: string, headers: Record<string, string> = {}, path = application): Promise<EventStream> {
  const stream = await EventStream.open(`${api.base}${path}/feed?${query}`, headers);
  onTestFinished(() => stream.close());
  return stream;
}
const changesOf = (event: StreamEvent) =>
  event.data.data as { change: number; type: string; message: { number: number } }[];
/** Whether an event has a change of this type of the message. */
const brings =
  (number: number, type = 'message.created') =>
  (event: StreamEvent) =>
    event.type === 'changes' && changesOf(event)?.some((one) => one.type === type && one.message?.number === number);
const hasEnded = (event: StreamEvent) => event.type === 'end';
/** Creates a message, and waits until it is stored. */
async function stored(body: string): Promise<number> {
  const [number = 0] = await api.send(chat, body);
  await expect.poll(async () => (await api.get(`${chat}/messages/${number}`)).status, settled).toBe(200);
  return number;
}
const accessToken = async (request: object) =>
  (await api.post<{ access_token: string }>(`${application}/access-tokens`, request)).body.access_token;

test('a stream brings creates, edits and deletes of a chat, each as one version in order', async () => {
  const stream = await follow('chat=1');
  await api.send(chat, 'hello');
  await stream.until(brings(1));
  await api.patch(`${chat}/messages/1`, { body: 'edited' });
  const edit = await stream.until(brings(1, 'message.edited'));
  expect(changesOf(edit)[0]?.message).toEqual((await api.get(`${chat}/messages/1`)).body);
  await api.delete(`${chat}/messages/1`);
  const deleted = await stream.until(brings(1, 'message.deleted'));
  expect(changesOf(deleted)).toEqual([{ change: 3, type: 'message.deleted', message: { number: 1 } }]);
  expect(stream.versions(1)).toEqual([1, 2, 3]);
});

test('a stream is neither compressed nor stored, may be read by any page, and says after which time to reconnect', async () => {
  const stream = await follow('chat=1', { 'accept-encoding': 'gzip', origin: 'https://elsewhere.example' });
  await api.send(chat, 'x'.repeat(5_000));
  await stream.until(brings(1));
  expect(Object.fromEntries(stream.response.headers)).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'private, no-cache',
    'access-control-allow-origin': '*',
    'x-request-id': expect.any(String),
  });
  expect(stream.response.headers.has('content-encoding')).toBe(false);
  expect(stream.parser.retry).toBe('1000');
});

test('HEAD gets the head of a stream and ends', async () => {
  const headers = { accept: 'text/event-stream' };
  const response = await fetch(`${api.base}${application}/feed?chat=1`, { method: 'HEAD', headers });
  expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
    200,
    'text/event-stream',
    '',
  ]);
  expect((await fetch(`${api.base}${application}/feed?chat=9`, { method: 'HEAD', headers })).status).toBe(404);
});

test('a stream continues exactly after the id of any event, whatever version the query names', async () => {
  for (const body of ['1', '2', '3', '4']) await stored(body);
  const whole = await follow('chat=1:0');
  await whole.until(brings(4));
  expect(whole.versions(1)).toEqual([1, 2, 3, 4]);
  for (const [i, { id = '' }] of whole.events.entries())
    for (const query of ['chat=1', 'chat=1:0', 'chat=1:4']) {
      const rest = await follow(query, { 'last-event-id': id });
      if (i < 3) await rest.until(brings(4));
      else await pause(20);
      expect(rest.versions(1)).toEqual([1, 2, 3, 4].slice(i + 1));
      await rest.close();
    }
});

test('a stream that is interrupted before its first event continues where it began', async () => {
  await stored('before');
  const first = await follow('chat=1');
  await expect.poll(() => first.parser.lastId, settled).toBeDefined();
  await first.close();
  await stored('meanwhile');
  const second = await follow('chat=1', { 'last-event-id': first.parser.lastId as string });
  await second.until(brings(2));
  expect(second.versions(1)).toEqual([2]);
});

test('a stream follows several chats and the list of chats, and nothing else', async () => {
  for (let i = 0; i < 2; i++) await api.newChat(application);
  await expect
    .poll(async () => (await api.get<{ data: [] }>(`${application}/chats`)).body.data.length, settled)
    .toBe(3);
  const stream = await follow('chat=1&chat=2&application=&chat=1:7&chat=1');
  await api.send(`${application}/chats/3`, 'not followed');
  await api.send(`${application}/chats/2`, 'two');
  await api.send(chat, 'one');
  await api.patch(`${application}/chats/3`, { name: 'third' });
  await stream.until(({ data }) => data.chat_number === 1);
  await stream.until(({ data }) => data.chat_number === 2);
  const edited = await stream.until(({ data }) => data.chat_number === undefined);
  expect(edited.data.data).toMatchObject([{ type: 'chat.edited', chat: { number: 3, name: 'third' } }]);
  expect(new Set(stream.events.map(({ data }) => data.chat_number))).toEqual(new Set([1, 2, undefined]));
});

test('a version of more than 200 kB comes truncated, live and when it was missed', async () => {
  const messages = Array.from({ length: 40 }, () => ({ body: 'x'.repeat(6_000) }));
  const live = await follow('chat=1');
  await api.post(`${chat}/messages/batch`, { messages });
  await live.until(({ data }) => data.truncated === true);
  expect(live.events).toMatchObject([{ data: { chat_number: 1, change: 1, truncated: true } }]);
  await stored('small');
  const later = await follow('chat=1:0');
  await later.until(brings(41));
  expect(later.events.map(({ data }) => [data.change, data.truncated])).toEqual([
    [1, true],
    [2, undefined],
  ]);
});

test('a version with more messages than are read at a time comes whole', async () => {
  const live = await follow('chat=1');
  await api.send(chat, ...Array.from({ length: 400 }, (_, i) => `${i}`));
  await live.until(brings(400));
  await stored('after them');
  const stream = await follow('chat=1:0');
  await stream.until(brings(401));
  expect(stream.events.map((event) => changesOf(event).length)).toEqual([400, 1]);
});

test('a stream that continues from a version that does not exist begins again', async () => {
  await stored('one');
  const stream = await follow('chat=1:1000');
  await stream.until(brings(1));
  expect(stream.versions(1)).toEqual([1]);
});

test('the deletion of a chat is an event of its streams, and closes a stream that follows nothing else', async () => {
  await api.newChat(application);
  const both = await follow('chat=1&chat=2');
  const one = await follow('chat=1');
  await stored('last words');
  await one.until(brings(1));
  await api.delete(chat);
  for (const stream of [both, one])
    expect((await stream.until(hasEnded)).data).toEqual({ code: 'chat_not_found', chat_number: 1 });
  await one.closed;
  await api.send(`${application}/chats/2`, 'still here');
  await both.until(({ data }) => data.chat_number === 2);
});

test('a deleted application ends its streams', async () => {
  const byToken = await follow('chat=1');
  const self = '/applications/self';
  const bySelf = await follow('chat=1', { authorization: `Bearer ${application.split('/')[2]}` }, self);
  await api.delete(application);
  expect((await byToken.until(hasEnded)).data).toEqual({ code: 'application_not_found' });
  expect((await bySelf.until(hasEnded)).data).toEqual({ code: 'access_token_invalid' });
  await Promise.all([byToken.closed, bySelf.closed]);
});

test('ended access tokens end their streams, and no others', async () => {
  const self = '/applications/self';
  const before = await accessToken({ chats: [1] });
  const ended = await follow(`chat=1&access_token=${before}`, {}, self);
  const own = await follow('chat=1');
  await api.delete(`${application}/access-tokens`);
  const after = await follow(`chat=1&access_token=${await accessToken({ chats: [1] })}`, {}, self);
  expect((await ended.until(hasEnded)).data).toEqual({ code: 'access_token_invalid' });
  await ended.closed;
  await api.send(chat, 'still here');
  await Promise.all([own.until(brings(1)), after.until(brings(1))]);
  await expect(EventStream.open(`${api.base}${self}/feed?chat=1&access_token=${before}`)).rejects.toThrow('401');
});

test('a stream begins after the responses to earlier requests of its connection, and no later request has a response', async () => {
  const { port, pathname } = new URL(`${api.base}${application}/feed`);
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`;
  const receive = async (requests: string, until: RegExp) => {
    const socket = connect(Number(port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined).write(requests);
    let received = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text;
    });
    const closed = once(socket, 'close');
    await Promise.race([closed, expect.poll(() => received, settled).toMatch(until)]);
    return { socket, closed, received: () => received };
  };
  const list = get(`${pathname.replace('/feed', '/chats')}`);
  const first = await receive(list + get(`${pathname}?chat=1`), /retry: 1000/);
  expect(first.received()).toMatch(/^HTTP\/1.1 200 OK.*"data":\[.*HTTP\/1.1 200 OK.*text\/event-stream.*retry: 1000/s);
  first.socket.write(list);
  await api.send(chat, 'hello');
  await expect.poll(first.received, settled).toContain('message.created');
  expect(first.received().match(/HTTP\/1.1/g)).toHaveLength(2);
  const last = await receive(get(`${pathname}?chat=1`) + list + list, /never/);
  await last.closed;
  expect(last.received()).not.toMatch(/retry: 1000.*HTTP/s);
});

test('SIGTERM ends streams with "stopping" and the process soon after, also beside a client that never reads', async () => {
  const host = await hostOf(startHost(dataFolder()));
  const client = await Client.connect(host.url);
  const path = await client.newChat();
  const url = `${host.url}${path.replace('/chats/1', '/feed')}?chat=1`;
  const streams = await Promise.all(Array.from({ length: 50 }, () => EventStream.open(url)));
  const { port, pathname, search } = new URL(url);
  const deaf = connect(Number(port), '127.0.0.1').on('error', () => undefined);
  deaf.pause();
  deaf.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
  await once(deaf, 'connect');
  const toldAt = performance.now();
  host.process.kill('SIGTERM');
  for (const stream of streams) {
    await stream.closed;
    expect(stream.events.at(-1)).toMatchObject({ type: 'end', data: { code: 'stopping' } });
  }
  expect(await host.ended).toBe(0);
  expect(performance.now() - toldAt).toBeLessThan(5_000);
  deaf.destroy();
});

test('a client that reads nothing is ended as too slow, and continues after its last event', async () => {
  const { port, pathname } = new URL(`${api.base}${application}/feed`);
  const slow = connect({ port: Number(port), host: '127.0.0.1' });
  onTestFinished(() => void slow.destroy());
  slow.write(`GET ${pathname}?chat=1 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
  await once(slow, 'readable');
  // The system's buffers take some megabytes, then the server counts what it keeps.
  const batch = { messages: Array.from({ length: 25 }, () => ({ body: 'y'.repeat(7_000) })) };
  const [batches, size] = [60, 175_000];
  const fast = await follow('chat=1');
  for (let last = 1; last <= batches; last++) {
    expect(await api.post(`${chat}/messages/batch`, batch)).toMatchObject({ status: 201 });
    // One version each, because those of more than 200 kB are truncated.
    await fast.until(({ data }) => data.change === last);
  }
  let received = '';
  slow.setEncoding('utf8').on('data', (text: string) => {
    received += text;
  });
  await once(slow, 'close');
  expect(received).toMatch(/event: end\ndata: \{"code":"too_slow"\}\n\n$/);
  expect(received.length).toBeLessThan(batches * size);
  const lastId = [...received.matchAll(/^id: (.+)$/gm)].at(-1)?.[1] as string;
  const seen = [...received.matchAll(/"chat_number":1,"change":(\d+),"data/g)].map(([, version]) => Number(version));
  const resumed = await follow('chat=1', { 'last-event-id': lastId });
  await resumed.until(({ data }) => data.change === batches);
  expect([...seen, ...resumed.versions(1)]).toEqual(fast.versions(1));
});
