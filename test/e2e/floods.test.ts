import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Route, routes } from '../../lib/api/routes.ts';
import { Client } from '../support/client/client.ts';
import { RawConnection } from '../support/client/raw-http.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { type Host, launch, newDataDir, ready, removeDataDir, startHost } from '../support/servers/host.ts';
import { Bystander, memoryOf, openSocket, socketsOf } from './floods.ts';

// `npm run test:floods` runs the full size, and a normal run of the tests the smaller one.
const full = process.env.FLOODS === 'full';
const size = full
  ? {
      pipelined: 1_600,
      readers: 2_600,
      held: 2_600,
      bodies: 1_500,
      odd: 1_000,
      flooders: 60,
      followers: 1_000,
      trickleMs: 20_000,
    }
  : { pipelined: 400, readers: 100, held: 1_000, bodies: 120, odd: 100, flooders: 8, followers: 200, trickleMs: 1_000 };
/** How much more memory a host may use than when it is idle, in MiB. */
const mostMiB = 150;
/** How long health checks may take, in milliseconds. A normal run shares its processors with other tests. */
const healthMs = full ? 100 : 5_000;

let dataDir: string;
let host: Host;
let client: Client;
let chat: string;
let quietChat: string;

beforeAll(async () => {
  dataDir = newDataDir();
  host = await startHost(dataDir);
  client = await Client.connect(host.url);
  chat = await client.newChat();
  quietChat = await client.newChat();
  await client.send(chat, ...Array.from({ length: 100 }, () => 'y'.repeat(1_000)));
  await vi.waitFor(async () => expect((await client.get(`${chat}/messages/1`)).status).toBe(200), { timeout: 20_000 });
  // Requests every route once, so that the memory of the idle host includes what is created at first use.
  for (const path of getPaths()) await client.get(path);
  const warm = await Bystander.start(host.url, quietChat);
  await pause(1_000);
  await warm.stop();
});
afterAll(async () => {
  await host.stop('SIGKILL');
  removeDataDir(dataDir);
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A path for each GET route, below the base path. */
const getPaths = (): string[] =>
  Object.values<Route>(routes)
    .filter(({ method }) => method === 'GET')
    .map(({ path }) => {
      const token = chat.split('/')[2] as string;
      const filled = path.replace('{token}', token).replace('{chat_number}', '1').replace('{message_number}', '1');
      return path.endsWith('/search') ? `${filled}?q=yyyy` : filled;
    });

const getRequest = (path: string) => `GET /v1${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const postHead = (path: string, bytes: number, ...more: string[]) =>
  [
    `POST /v1${path} HTTP/1.1`,
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${bytes}`,
    ...more,
    '\r\n',
  ].join('\r\n');

/** Floods the host, and checks the bounds of its memory and of a bystander's waiting time meanwhile. */
async function survives(flood: (sockets: Socket[]) => Promise<void>, lastsMs: number): Promise<void> {
  const pid = host.process.pid as number;
  const idle = memoryOf(pid).residentMiB;
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const bystander = await Bystander.start(host.url, quietChat);
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await flood(sockets);
  await pause(lastsMs);
  const { healthP99Ms, failures, answered } = await bystander.stop();
  const grownMiB = memoryOf(pid).peakMiB - idle;
  console.log(
    `floods: ${idle.toFixed(0)} MiB idle, at most ${grownMiB.toFixed(0)} more; /health within ${healthP99Ms.toFixed(0)} ms at p99, ${answered} requests beside it`,
  );
  expect(failures).toEqual([]);
  expect(grownMiB).toBeLessThan(mostMiB);
  expect(healthP99Ms).toBeLessThan(healthMs);
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => socketsOf(pid)).toBeLessThan(12);
}

/** Opens a connection that reads nothing, and writes the bytes. */
async function unread(sockets: Socket[], bytes: string, url = host.url): Promise<void> {
  const socket = await openSocket(url);
  sockets.push(socket.pause());
  socket.write(bytes);
}

/** Writes bytes one by one, each in a packet of its own, for the given time. */
async function trickle(sockets: Socket[], lastsMs: number): Promise<void> {
  const end = performance.now() + lastsMs;
  while (performance.now() < end) {
    for (const socket of sockets) socket.write('x');
    // Otherwise Node.js would write them together.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a host uses bounded memory and serves other clients', () => {
  test('a host uses bounded memory and serves other clients while each GET route is requested many times on a connection that reads nothing', async () => {
    await survives(async (sockets) => {
      for (const path of getPaths()) await unread(sockets, getRequest(path).repeat(size.pipelined));
    }, 1_000);
  });

  test('a host uses bounded memory and serves other clients while bodies that have been read wait behind responses that nobody reads', async () => {
    const path = `${chat}/messages`;
    const bytes = 60_000;
    const flood = getRequest('/docs').repeat(4) + postHead(path, bytes) + ' '.repeat(bytes);
    await survives(async (sockets) => {
      for (let i = 0; i < size.held; i++) await unread(sockets, flood);
    }, 1_000);
  });

  test('a host uses bounded memory and serves other clients while several connections are full of requests', async () => {
    await survives(async (sockets) => {
      for (let i = 0; i < size.flooders / 4; i++) {
        await unread(sockets, getRequest('/health').repeat(1_600));
        await unread(sockets, `${postHead(`${chat}/messages`, 12)}{"body":"x"}`.repeat(400));
        await unread(sockets, getRequest(`/health?${'x'.repeat(15_000)}`).repeat(8));
      }
    }, 500);
  });

  test('a host uses bounded memory and serves other clients while many connections do not read their responses', async () => {
    await survives(async (sockets) => {
      for (let i = 0; i < size.readers; i++)
        await unread(sockets, getRequest(full && i % 2 ? '/docs' : `${chat}/messages?limit=1000`));
    }, 500);
  });

  test('a host uses bounded memory and serves other clients while many followers of a busy chat read nothing', async () => {
    const busy = await client.newChat();
    const bodies = { messages: Array.from({ length: 25 }, () => ({ body: 'y'.repeat(7_000) })) };
    const head = `GET /v1${busy.replace('/chats/1', '/feed')}?chat=1 HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n`;
    await survives(async (sockets) => {
      for (let i = 0; i < size.followers; i++) await unread(sockets, head);
      // The system's buffers are full after some of them, and each follower misses more than a megabyte.
      for (let version = 1; version <= 30; version++) {
        await client.post(`${busy}/messages/batch`, bodies);
        const isStored = async () => (await client.get<{ change: number }>(`${busy}/changes`)).body.change;
        await expect.poll(isStored, { timeout: 20_000 }).toBe(version);
      }
    }, 500);
  });

  test('a host uses bounded memory and serves other clients while many request bodies stop just before their end', async () => {
    const body = `{"body":"${'x'.repeat(990_000)}`;
    await survives(async (sockets) => {
      for (let i = 0; i < size.bodies; i++) {
        const path = ['/applications', `${chat}/messages`, '/nowhere', `${chat}/messages/1`][i % 4] as string;
        await unread(sockets, postHead(path, 1_000_000));
        const socket = sockets.at(-1) as Socket;
        await new Promise((resolve) => {
          socket.once('close', resolve).write(body, resolve);
        });
      }
    }, 500);
  });

  test('a host uses bounded memory and serves other clients while bodies arrive in packets of one byte', async () => {
    await survives(async (sockets) => {
      for (let i = 0; i < 20; i++) {
        await unread(sockets, postHead(`${chat}/messages`, 1_000_000));
        sockets.at(-1)?.setNoDelay();
      }
      await trickle(sockets, size.trickleMs);
    }, 500);
  });
});

test('1,600 requests on one connection all get their responses, in order', async () => {
  const connection = await RawConnection.open(host.url);
  onTestFinished(() => void connection.socket.destroy());
  // Requests that get a 200 and a 404 alternate, so the statuses show the order.
  const paths = Array.from({ length: 1_600 }, (_, i) => `/applications/${i}-unknown`);
  connection.write(paths.map((path, i) => getRequest(i % 2 ? path : '/health')).join(''));
  const statuses: (number | undefined)[] = [];
  for (let i = 0; i < 1_600; i++) statuses.push((await connection.answer())?.status);
  expect(statuses).toEqual(paths.map((_, i) => (i % 2 ? 404 : 200)));
});

describe('a body that is not read', () => {
  const cases: [what: string, path: () => string, headers: string[], code: string][] = [
    ['of an unknown route', () => '/nowhere', [], 'route_not_found'],
    ['of another method', () => `${chat}/messages/1`, [], 'method_not_allowed'],
    ['of another type', () => `${chat}/messages`, ['Content-Type: text/plain'], 'unsupported_media_type'],
    ['of a foreign page', () => '/applications', ['Origin: http://evil.example'], 'not_allowed'],
  ];
  test.each(cases)('a body %s is not read, even with Expect: 100-continue', async (_what, path, headers, code) => {
    for (const more of [[], ['Expect: 100-continue']]) {
      const connection = await RawConnection.open(host.url);
      onTestFinished(() => void connection.socket.destroy());
      const type = headers.some((header) => header.startsWith('Content-Type'))
        ? []
        : ['Content-Type: application/json'];
      const lines = [`POST /v1${path()} HTTP/1.1`, 'Host: localhost', 'Content-Length: 900000', ...type];
      connection.write(`${[...lines, ...headers, ...more].join('\r\n')}\r\n\r\n`);
      const answer = await connection.answer();
      expect(answer?.body).toMatchObject({ code });
      expect(answer?.headers.get('connection')).toBe('close');
      await connection.closed;
    }
  });

  test('a body over the size limit is not read, and a client that sends a part of it can read the reason', async () => {
    const connection = await RawConnection.open(host.url);
    onTestFinished(() => void connection.socket.destroy());
    connection.write(postHead(`${chat}/messages`, 5_000_000));
    for (let i = 0; i < 10; i++) connection.write('x'.repeat(500_000));
    expect((await connection.answer())?.body).toMatchObject({ code: 'payload_too_large' });
    await connection.closed;
  });

  test('after a refused request with a short body, the connection serves the next request', async () => {
    const connection = await RawConnection.open(host.url);
    onTestFinished(() => void connection.socket.destroy());
    connection.write(`${postHead('/nowhere', 2)}{}${getRequest('/health')}`);
    expect((await connection.answer())?.status).toBe(404);
    expect((await connection.answer())?.status).toBe(200);
  });
});

describe('the sockets of a host', () => {
  const body = '{"name":"x"}';
  const kinds: Record<string, { first: string; later?: string; halfClose?: true }> = {
    'CONNECT and a late byte': { first: 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', later: 'x' },
    'a WebSocket upgrade': {
      first: `GET /v1/health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n`,
      later: '\x81\x00',
    },
    'an h2c upgrade': {
      first: `GET /v1/health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n\r\n`,
      later: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    },
    'a half-closed connection': { first: getRequest('/health'), halfClose: true },
    'a half-closed upload': { first: postHead('/applications', 100), later: '{', halfClose: true },
    'a late byte behind a refusal': { first: postHead('/nowhere', 900_000), later: 'x' },
    'a late byte behind garbage': { first: 'garbage\r\n\r\n', later: 'x' },
    'a request that is broken off': { first: `${postHead('/applications', 100)}${body}` },
  };
  test.each(Object.entries(kinds))('%s leaves no socket open', async (_what, { first, later, halfClose }) => {
    const pid = host.process.pid as number;
    const before = socketsOf(pid);
    const one = async () => {
      const socket = await openSocket(host.url);
      socket.resume();
      socket.write(first);
      if (later) {
        await pause(5);
        socket.write(later);
      }
      await pause(10);
      if (halfClose) {
        socket.end();
        await Promise.race([once(socket, 'close'), pause(5_000)]);
      }
      socket.destroy();
    };
    for (let done = 0; done < size.odd; done += 50) await Promise.all(Array.from({ length: 50 }, one));
    await expect.poll(() => socketsOf(pid), { timeout: 8_000 }).toBeLessThanOrEqual(before);
  });
});

test('a host with few descriptors serves its clients while others open all the connections it can have', async () => {
  const started = await hostOf(ready(launch(['--port', '0', '--data-dir', dataFolder()], {}, 300)));
  const [served, idle] = await Promise.all([RawConnection.open(started.url), RawConnection.open(started.url)]);
  const sockets: Socket[] = [served.socket, idle.socket];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const checkHealth = async () => {
    served.write(getRequest('/health'));
    expect((await served.answer())?.status).toBe(200);
  };
  await checkHealth();
  for (let i = 0; i < 400; i++) await unread(sockets, 'GET /v1/hea', started.url);
  await checkHealth();
  await idle.closed;
  for (const socket of sockets.slice(2)) socket.destroy();
  await checkHealth();
  expect((await (await Client.connect(started.url)).get('/health')).status).toBe(200);
  expect(started.stderr()).toBe('');
});

test('SIGTERM ends the process within 10 s, whatever is open', async () => {
  const started = await hostOf(startHost(dataFolder()));
  const own = await Client.connect(started.url);
  const ownChat = await own.newChat();
  await own.send(ownChat, ...Array.from({ length: 90 }, () => 'y'.repeat(10_000)));
  await expect.poll(async () => (await own.get(`${ownChat}/messages/90`)).status).toBe(200);
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const bytes of [
    '',
    'GET /v1/health HT',
    getRequest('/health'),
    getRequest('/health').repeat(1_000),
    getRequest(`${ownChat}/messages?limit=1000`).repeat(20),
    postHead('/applications', 100),
    postHead('/applications', 100, 'Expect: 100-continue'),
    postHead('/nowhere', 900_000),
    'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
    'garbage\r\n\r\n',
  ]) {
    const socket = await openSocket(started.url);
    sockets.push(socket.pause());
    socket.write(bytes);
    await pause(10);
    if (bytes.startsWith('CONNECT')) socket.write('x');
  }
  const begun = performance.now();
  expect(await started.stop('SIGTERM')).toBe(0);
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(started.stderr()).toBe('');
});

test('the host has logged no error and no warning during these tests', () => {
  expect(host.process.exitCode).toBeNull();
  expect(host.stdout()).not.toMatch(/"level":"(ERROR|CRITICAL|WARN)"/);
  expect(host.stderr()).toBe('');
});
