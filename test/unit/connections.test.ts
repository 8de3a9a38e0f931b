import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Connections } from '../../local/connections.ts';

describe('a connection', () => {
  const server = () => createServer({ requireHostHeader: false });
  let http: ReturnType<typeof server>;
  /** Number of requests that Node.js has parsed. */
  let parsed: number;
  let inHand: { request: IncomingMessage; response: ServerResponse }[];
  let serve: (request: IncomingMessage, response: ServerResponse) => void;
  let socket: Socket;
  let received: string;

  beforeEach(async () => {
    [parsed, inHand, received] = [0, [], ''];
    serve = (request, response) => void inHand.push({ request, response });
    http = server();
    http.on('request', () => void parsed++);
    new Connections().attach(http, (request, response) => serve(request, response));
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
