import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { HttpHandler } from '../../functions/runtime/http/operation.ts';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import type { Access } from '../../lib/access/access.ts';
import type { OperationId } from '../../lib/api/routes.ts';
import { LargeBodies } from '../../local/large-bodies.ts';
import { createServer, type Server } from '../../local/server.ts';
import { Traffic } from '../../local/traffic.ts';
import { Turns } from '../../local/turns.ts';
import { RawConnection } from '../support/client/raw-http.ts';

setLogLevel('silent');

describe('large bodies', () => {
  let bodies: LargeBodies;
  /** The requests in progress, by name, with the function that ends each. */
  let inProgress: Map<string, () => void>;

  beforeEach(() => {
    bodies = new LargeBodies(new Turns());
    inProgress = new Map();
  });

  const add = (name: string, application: string, bytes: number) =>
    bodies.add({
      application,
      arrivedAt: 0,
      bytes,
      handle: (done) => void inProgress.set(name, done),
    });
  const end = (name: string) => {
    inProgress.get(name)?.();
    inProgress.delete(name);
  };
  const names = async () => {
    for (let i = 0; i < 10; i++) await nextTurn();
    return [...inProgress.keys()];
  };

  test('requests are in progress while their bodies have less than 250 kB, and the others wait for one to end', async () => {
    for (const name of ['a', 'b', 'c', 'd']) add(name, 'one', 100_000);
    expect(await names()).toEqual(['a', 'b', 'c']);
    end('b');
    expect(await names()).toEqual(['a', 'c', 'd']);
  });

  test('a body of the largest size is handled alone', async () => {
    add('a', 'one', 1_048_576);
    add('b', 'one', 20_000);
    expect(await names()).toEqual(['a']);
    end('a');
    expect(await names()).toEqual(['b']);
  });

  test('two bodies are not handled in the same turn of the event loop', async () => {
    const turns: number[] = [];
    let turn = 0;
    const slow = (done: () => void) => {
      turns.push(turn);
      const until = performance.now() + 3;
      while (performance.now() < until);
      done();
    };
    for (let i = 0; i < 3; i++) bodies.add({ application: 'one', arrivedAt: 0, bytes: 20_000, handle: slow });
    for (; turns.length < 3; turn++) await nextTurn();
    expect(new Set(turns).size).toBe(3);
  });

  test('applications take turns, so that one with many batches does not delay the batch of another', async () => {
    for (const name of ['a', 'b', 'c']) add(name, 'busy', 300_000);
    add('x', 'quiet', 300_000);
    for (const next of ['a', 'b', 'x', 'c']) {
      expect(await names()).toEqual([next]);
      end(next);
    }
  });
});

describe('a server', () => {
  let server: Server;
  let began: string[];
  let release: () => void;

  beforeEach(async () => {
    began = [];
    const released = Promise.withResolvers<void>();
    release = released.resolve;
    const handler =
      (name: string, wait: Promise<void> | undefined): HttpHandler =>
      async () => {
        began.push(name);
        await wait;
        return { statusCode: 201, headers: {}, body: '{}' };
      };
    const operations = new Map<OperationId, HttpHandler>([
      ['createMessages', handler('batch', released.promise)],
      ['createMessage', handler('single', undefined)],
      ['getHealth', handler('health', undefined)],
    ]);
    const isKnown = (token: string) => {
      if (token === 'unreadable') throw new Error('disk I/O error');
      return token === 'token';
    };
    // Only requests for `self` use the access tokens.
    const access = undefined as unknown as Access;
    server = createServer(
      operations,
      { adminKey: undefined, onLoopback: true, access, isKnown },
      { traffic: new Traffic({ isVerbose: false, followers: () => 0 }) },
    );
    await server.listen({ port: 0, host: '127.0.0.1' });
  });
  afterEach(async () => {
    release();
    await server.close();
  });

  const post = (path: string, body: object, token = 'token') =>
    fetch(`http://127.0.0.1:${server.port}/v1/applications/${token}/chats/1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  test('a server begins a few large batches at a time, and a single create meanwhile', async () => {
    const body = 'x'.repeat(80);
    const batches = Array.from({ length: 10 }, () => post('messages/batch', { messages: Array(1_000).fill({ body }) }));
    await expect.poll(() => began.length).toBe(3);
    expect((await post('messages', { body })).status).toBe(201);
    expect(began).toEqual(['batch', 'batch', 'batch', 'single']);
    release();
    const statuses = await Promise.all(batches.map(async (batch) => (await batch).status));
    expect(statuses).toEqual(Array(10).fill(201));
    expect(began).toHaveLength(11);
  });

  test('a large body gets internal_error when the ledger cannot be read', async () => {
    const response = await post('messages/batch', { body: 'x'.repeat(20_000) }, 'unreadable');
    expect(await response.json()).toMatchObject({ status: 500, code: 'internal_error' });
  });

  /** Sends a request with a large body. Resolves when the server has read it. */
  const sendLarge = async (path: string, token = 'token') => {
    const text = JSON.stringify({ body: 'x'.repeat(300_000) });
    const before = began.length;
    const { socket } = await RawConnection.open(`http://127.0.0.1:${server.port}`);
    onTestFinished(() => void socket.destroy());
    const line = `/v1/applications/${token}/chats/1/${path} HTTP/1.1\r\nHost: localhost\r\n`;
    const head = `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n`;
    // The server reads the second request when it has read the first one.
    socket.write(`POST ${line}${head}\r\n${text}GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await expect.poll(() => began.slice(before)).toContain('health');
    return socket;
  };
  const large = () => began.filter((name) => name !== 'health');

  test('a large body whose client disconnects while it waits is dropped', async () => {
    await sendLarge('messages/batch');
    const socket = await sendLarge('messages');
    await sendLarge('messages/batch');
    const closed = once(socket, 'close');
    socket.resetAndDestroy();
    await closed;
    // The server reads the end of that connection before it accepts another one.
    await fetch(`http://127.0.0.1:${server.port}/v1/health`, { headers: { connection: 'close' } });
    release();
    await expect.poll(() => large().length).toBe(2);
    expect(large()).toEqual(['batch', 'batch']);
  });

  test('batches of more bytes than all clients may leave in memory are all handled', async () => {
    const body = 'x'.repeat(990_000);
    const batches = Array.from({ length: 60 }, (_, i) => post('messages/batch', { body }, i % 2 ? 'token' : 'another'));
    await expect.poll(() => began.length).toBe(1);
    release();
    const statuses = await Promise.all(batches.map(async (batch) => (await batch).status));
    expect(statuses).toEqual(Array(60).fill(201));
  });

  test('all requests with unknown tokens together take turns as one application', async () => {
    for (let i = 0; i < 5; i++) await sendLarge('messages/batch', `unknown-${i}`);
    await sendLarge('messages');
    release();
    await expect.poll(() => large().length).toBe(6);
    expect(large().indexOf('single')).toBeLessThanOrEqual(2);
  });
});
