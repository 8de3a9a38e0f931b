import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cachedDataVersionTag, setFlagsFromString } from 'node:v8';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Connections } from '../../local/connections.ts';

describe('a connection', () => {
  const server = () => Object.assign(createServer({ requireHostHeader: false }), { httpAllowHalfOpen: true });
  let http: ReturnType<typeof server>;
  let connections: Connections;
  /** Number of requests that Node.js has parsed. */
  let parsed: number;
  /** Number of connections. */
  let accepted: number;
  let inHand: { request: IncomingMessage; response: ServerResponse }[];
  let serve: (request: IncomingMessage, response: ServerResponse) => void;
  let socket: Socket;
  let received: string;

  beforeEach(async () => {
    [parsed, accepted, inHand, received] = [0, 0, [], ''];
    serve = (request, response) => void inHand.push({ request, response });
    http = server();
    http.on('request', () => void parsed++);
    http.on('connection', () => void accepted++);
    connections = new Connections();
    connections.attach(http, (request, response) => serve(request, response));
    await once(http.listen(0, '127.0.0.1'), 'listening');
    socket = connect((http.address() as AddressInfo).port, '127.0.0.1');
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString();
    });
    await once(socket, 'connect');
  });
  afterEach(() => {
    socket.destroy();
    http.close();
    http.closeAllConnections();
  });

  test('the heap may grow further while there are 1,000 connections without a stream', async () => {
    // 0 is the default of V8.
    onTestFinished(() => setFlagsFromString('--heap-growing-percent=0'));
    const sockets: Socket[] = [];
    onTestFinished(() => {
      for (const each of sockets) each.destroy();
    });
    /** Identifies the flags. */
    const tagWith = (percent: number) => {
      setFlagsFromString(`--heap-growing-percent=${percent}`);
      return cachedDataVersionTag();
    };
    const script = readFileSync(path.resolve(import.meta.dirname, '../../script/start'), 'utf8');
    const far = tagWith(100);
    const usual = tagWith(Number(/--heap-growing-percent=(\d+)/.exec(script)?.[1]));
    const open = async () => {
      const opened = connect((http.address() as AddressInfo).port, '127.0.0.1');
      sockets.push(opened);
      const [[connection]] = await Promise.all([once(http, 'connection'), once(opened, 'connect')]);
      return connection as Socket;
    };
    connections.stream(connections.of(await open()) as NonNullable<ReturnType<Connections['of']>>);
    for (let i = accepted; i < 1_000; i++) await open();
    expect(cachedDataVersionTag()).toBe(usual);
    await open();
    expect(cachedDataVersionTag()).toBe(far);
    sockets.at(-1)?.destroy();
    await expect.poll(cachedDataVersionTag).toBe(usual);
  });

  const requests = (count: number) => Array.from({ length: count }, (_, i) => `GET /${i} HTTP/1.1\r\n\r\n`).join('');
  const answered = () => Array.from(received.matchAll(/answer (\d+)\n/g), ([, number]) => Number(number));

  test('a connection parses only as many pipelined requests as are in progress, however many one read brings', async () => {
    socket.write(requests(2_000));
    await expect.poll(() => inHand.length).toBe(4);
    await pause(50);
    expect([parsed, inHand.length]).toEqual([4, 4]);
  });

  test('a connection responds to all of its pipelined requests in order', async () => {
    serve = (request, response) => setImmediate(() => response.end(`answer ${request.url?.slice(1)}\n`));
    socket.write(requests(5_000));
    await expect.poll(() => answered().length, { timeout: 10_000 }).toBe(5_000);
    expect(answered()).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
  });

  test('a connection that takes too much memory is closed at once when it has another request in progress than the one that is refused', async () => {
    const endWith = async (count: number) => {
      socket.write(requests(1));
      await expect.poll(() => inHand.length).toBe(count);
      const serverSocket = inHand[0]?.request.socket as Socket;
      const connection = connections.of(serverSocket);
      if (!connection) throw new Error('The connection is closed');
      let refused = false;
      connection.refuseBody = () => {
        refused = true;
      };
      connections.memory.keep(connection, 40_000_000);
      return { refused, closed: serverSocket.destroyed };
    };
    expect(await endWith(1)).toEqual({ refused: true, closed: false });
    expect(await endWith(2)).toEqual({ refused: false, closed: true });
  });

  /** Returns a chunked body with chunks of one byte. */
  const bytewise = (length: number) => `${'1\r\nx\r\n'.repeat(length)}0\r\n\r\n`;
  const chunkedHead = 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n';

  test('the chunks of a body arrive joined, so that a body in chunks of one byte takes little memory', async () => {
    const pieces: number[] = [];
    let ended = false;
    serve = (request) => {
      request.on('data', (piece: Buffer) => void pieces.push(piece.length));
      request.on('end', () => {
        ended = true;
      });
    };
    socket.write(`${chunkedHead}${bytewise(100_000)}`);
    await expect.poll(() => ended).toBe(true);
    expect(pieces.reduce((sum, length) => sum + length)).toBe(100_000);
    expect(pieces.length).toBeLessThan(100);
  });

  test('a chunked body that nobody reads is not read from the socket either', async () => {
    socket.write(`${chunkedHead}${bytewise(1_000_000)}`);
    await expect.poll(() => inHand.length).toBe(1);
    await pause(300);
    const request = inHand[0]?.request;
    expect(request?.readableLength).toBeLessThan(200_000);
    let length = 0;
    request?.on('data', (piece: Buffer) => {
      length += piece.length;
    });
    await expect.poll(() => length, { timeout: 20_000 }).toBe(1_000_000);
  });

  test('a connection reads whole bodies, whatever they contain and whatever follows them', async () => {
    const bodies = ['\r\n\r\n'.repeat(50_000), 'x'.repeat(200_000), '', '\r\n\r\n', requests(500), 'y'];
    const seen: string[] = [];
    serve = (request, response) => {
      let body = '';
      request.on('data', (bytes: Buffer) => {
        body += bytes.toString();
      });
      request.on('end', () => {
        seen.push(body);
        response.end(`answer ${seen.length}\n`);
      });
    };
    for (const body of bodies) socket.write(`POST / HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await expect.poll(() => answered().length, { timeout: 10_000 }).toBe(bodies.length);
    expect(seen.map((body) => body.length)).toEqual(bodies.map((body) => body.length));
    expect(seen).toEqual(bodies);
  });

  describe('while the server has more requests than time', () => {
    const clients: Socket[] = [];
    const client = (text: string) => {
      const one = connect((http.address() as AddressInfo).port, '127.0.0.1');
      one.setEncoding('utf8');
      one.on('data', () => void responses++);
      clients.push(one);
      return { one, text };
    };
    const inTurn: string[] = [];
    let responses: number;
    beforeEach(() => {
      inTurn.length = 0;
      responses = 0;
      serve = (request, response) => {
        inTurn.push(request.url ?? '');
        // A request that takes 4 ms of this thread, which is more than a turn has.
        for (const until = performance.now() + 4; performance.now() < until; );
        setTimeout(() => response.end('answer 1\n'), 200);
      };
    });
    afterEach(() => {
      for (const one of clients.splice(0)) one.destroy();
    });

    /** Sends requests on each of 200 connections at the same time. */
    const flood = async (requestsOfEach = 1) => {
      const all = Array.from({ length: 200 }, (_, i) => client(`GET /${i} HTTP/1.1\r\n\r\n`.repeat(requestsOfEach)));
      await expect.poll(() => accepted, { timeout: 10_000 }).toBeGreaterThan(200);
      for (const { one, text } of all) one.write(text);
      return all;
    };

    test('a busy server starts the requests in the order in which they arrived', async () => {
      const all = await flood();
      await expect.poll(() => inTurn.length, { timeout: 10_000 }).toBeGreaterThan(120);
      all[0]?.one.write('GET /late HTTP/1.1\r\n\r\n');
      await expect.poll(() => inTurn.length, { timeout: 10_000 }).toBe(201);
      expect(inTurn.at(-1)).toBe('/late');
    });

    test('a request on an idle connection starts before the further requests of connections that have one in progress', async () => {
      serve = (request) => {
        inTurn.push(request.url ?? '');
        for (const until = performance.now() + 2; performance.now() < until; );
      };
      const { one } = client('');
      await once(one, 'connect');
      await flood(4);
      // Half of the requests; all connections have a request in progress then.
      await expect.poll(() => inTurn.length, { timeout: 10_000 }).toBeGreaterThan(400);
      const ran = inTurn.length;
      one.write('GET /late HTTP/1.1\r\n\r\n');
      await expect.poll(() => inTurn.length, { timeout: 10_000 }).toBe(801);
      expect(inTurn.indexOf('/late') - ran).toBeLessThan(20);
    });

    test('a busy server parses a request only when it starts it', async () => {
      await flood();
      await expect.poll(() => inTurn.length, { timeout: 10_000 }).toBeGreaterThan(110);
      expect(parsed - inTurn.length).toBeLessThan(5);
    });

    test('a busy server starts all pipelined requests in order, however many reads bring them', async () => {
      const pipelined = (from: number) => Array.from({ length: 8 }, (_, i) => `/pipelined-${from + i}`);
      const sent = Promise.withResolvers<void>();
      await flood();
      serve = (request, response) => {
        inTurn.push(request.url ?? '');
        void sent.promise.then(() => response.end());
      };
      const { one } = client('');
      await once(one, 'connect');
      const send = (paths: string[]) => one.write(paths.map((path) => `GET ${path} HTTP/1.1\r\n\r\n`).join(''));
      send(pipelined(0));
      await expect.poll(() => inTurn).toContain('/pipelined-3');
      send(pipelined(8));
      await pause(50);
      sent.resolve();
      await expect.poll(() => inTurn, { timeout: 5_000 }).toContain('/pipelined-15');
      expect(inTurn.filter((path) => path.startsWith('/pipelined'))).toEqual([...pipelined(0), ...pipelined(8)]);
    });

    test('a request does not wait until the chunked bodies of other connections are parsed', async () => {
      serve = (request) => {
        inTurn.push(request.url ?? '');
        request.on('end', () => void inTurn.push('body'));
        request.resume();
      };
      const uploads = Array.from({ length: 20 }, () => client('').one);
      const { one } = client('');
      await once(one, 'connect');
      for (const upload of uploads) upload.write(chunkedHead);
      await expect.poll(() => inTurn.length).toBe(20);
      for (const upload of uploads) upload.write(bytewise(10_000));
      one.write('GET /late HTTP/1.1\r\n\r\n');
      await expect.poll(() => inTurn.length, { timeout: 10_000 }).toBe(42);
      expect(inTurn.slice(20).indexOf('/late')).toBeLessThan(10);
    });

    test('a busy server that stops completes the requests that wait', async () => {
      const slow = serve;
      serve = (_request, response) => void response.end('answer 0\n');
      const all = await flood();
      await expect.poll(() => responses, { timeout: 10_000 }).toBe(200);
      // For Node.js, a connection is idle between two requests, and not before the first one.
      [serve, responses] = [slow, 0];
      for (const { one, text } of all) one.write(text);
      await expect.poll(() => inTurn.length, { timeout: 10_000 }).toBeGreaterThan(110);
      connections.parseWaiting();
      http.close();
      await expect.poll(() => responses, { timeout: 10_000 }).toBe(200);
    });

    test('a client that ends its side after a request that waits gets its response', async () => {
      await flood();
      const { one, text } = client('GET /ended HTTP/1.1\r\n\r\n');
      await once(one, 'connect');
      one.end(text);
      const [response] = (await once(one, 'data')) as [string];
      expect(response).toContain('answer 1');
      expect(inTurn).toContain('/ended');
    });
  });

  test('a connection is read again after its client has read its responses', async () => {
    serve = (_request, response) => void response.end(`answer 1\n${'z'.repeat(1_000_000)}`);
    socket.pause();
    socket.write(requests(40));
    await pause(200);
    expect(parsed).toBeLessThan(20);
    socket.resume();
    await expect.poll(() => answered().length, { timeout: 10_000 }).toBe(40);
  });
});
