import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, connect, Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { Connections } from '../../local/connections.ts';
import { RequestBodies } from '../../local/request-bodies.ts';

test('a client that is too slow for its memory gets a 408 while its body is read, and a 503 while its body waits', async () => {
  const connections = new Connections();
  const http = createServer();
  const refused: string[] = [];
  const bodies = new RequestBodies(connections, {
    isKnown: () => true,
    refuse: ({ code }) => void refused.push(code),
  });
  const sockets: Socket[] = [];
  connections.attach(http, (raw, response) => {
    sockets.push(raw.socket);
    const expected = { declared: 1_000_000, most: 1_048_577, token: 'token' };
    bodies.read({ raw, response, startedAt: 0 }, expected, () => undefined);
  });
  await new Promise<void>((listens) => http.listen(0, '127.0.0.1', listens));
  onTestFinished(() => {
    connections.destroyAll();
    http.close();
  });
  const { port } = http.address() as AddressInfo;
  // As many bodies as are read at a time, and one more.
  for (let i = 0; i < 19; i++) {
    connect(port, '127.0.0.1').write(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n{"messages": [{"body": "begins, but does not end',
    );
    await expect.poll(() => sockets.length).toBe(i + 1);
  }
  for (const at of [0, 18]) connections.of(sockets[at] as Socket)?.end();
  expect(refused).toEqual(['request_timeout', 'unavailable']);
});

test.each([
  ['a large body', 1_048_577, 'x'.repeat(60_000) + 'y'.repeat(60_000)],
  ['a body that is too large', 100_001, 'x'.repeat(60_000) + 'y'.repeat(40_001)],
])('the memory of %s is freed when the handler has its event', async (_, most, expected) => {
  const bodies = new RequestBodies(new Connections(), { isKnown: () => true, refuse: () => undefined });
  const raw = new IncomingMessage(new Socket());
  const chunks = ['x', 'y'].map((letter) => Buffer.alloc(60_000, letter));
  const read = Promise.withResolvers<{ body: Buffer; text: string }>();
  const incoming = { raw, response: new ServerResponse(raw), startedAt: 0 };
  bodies.read(incoming, { declared: undefined, most, token: 'token' }, (body) =>
    read.resolve({ body, text: body.toString() }),
  );
  for (const chunk of chunks) raw.emit('data', chunk);
  raw.emit('end');
  const { body, text } = await read.promise;
  expect(text).toBe(expected);
  expect([body, ...chunks].map(({ length }) => length)).toEqual([0, 0, 0]);
});

test('a large body whose client disconnects at its turn is freed, and its request is not handled', async () => {
  const bodies = new RequestBodies(new Connections(), { isKnown: () => true, refuse: () => undefined });
  const handled: string[] = [];
  const [gone, next] = ['x', 'y'].map((letter) => {
    const raw = new IncomingMessage(new Socket());
    const response = new ServerResponse(raw);
    const body = Buffer.alloc(100_000, letter);
    bodies.read(
      { raw, response, startedAt: 0 },
      { declared: 100_000, most: 1_048_577, token: 'token' },
      (read, done) => {
        handled.push(read.toString('utf8', 0, 1));
        done?.();
      },
    );
    raw.emit('data', body);
    raw.emit('end');
    return { response, body };
  }) as [{ response: ServerResponse; body: Buffer }, { response: ServerResponse; body: Buffer }];
  gone.response.emit('close');
  expect(gone.body).toHaveLength(0);
  await expect.poll(() => next.body.length).toBe(0);
  expect(handled).toEqual(['y']);
});

test('a body that arrives byte by byte takes little more memory than its size', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const usedBytes = () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const bodies = new RequestBodies(new Connections(), { isKnown: () => true, refuse: () => undefined });
  const raw = new IncomingMessage(new Socket());
  const response = new ServerResponse(raw);
  let read = 0;
  bodies.read({ raw, response, startedAt: 0 }, { declared: 1_000_000, most: 1_048_577, token: 'token' }, (body) => {
    read = body.length;
  });
  const before = usedBytes();
  for (let i = 0; i < 200_000; i++) raw.emit('data', Buffer.from('x'));
  // Kept one by one, they take 24 MB. V8 frees the memory of collected buffers a little later, in another thread.
  await expect.poll(() => usedBytes() - before, { timeout: 5_000 }).toBeLessThan(5_000_000);
  raw.emit('end');
  await expect.poll(() => read).toBe(200_000);
});
