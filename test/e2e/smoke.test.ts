import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Host, launch, newDataDir, ready, removeDataDir } from '../support/servers/host.ts';
import { smoke, startSmoke } from '../support/servers/smoke.ts';

// script/smoke against gateways with faults, each in front of a system of the embedded engine.

const adminKey = 'the admin key of this test';
let dataDir: string;
let host: Host;
beforeAll(async () => {
  dataDir = newDataDir();
  host = await ready(launch(['--port', '0', '--data-dir', dataDir], { ADMIN_KEY: adminKey }));
});
afterAll(async () => {
  await host.stop();
  removeDataDir(dataDir);
});

type Fault = (request: IncomingMessage, response: ServerResponse, forward: (path?: string) => void) => void;

/** Starts a gateway with this fault, and returns its base URL. Like most gateways, it reads a body before it responds. */
async function gateway(fault: Fault): Promise<string> {
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    fault(request, response, (path = request.url) => {
      const { hostname, port } = new URL(host.url);
      const { method, headers } = request;
      const to = httpRequest({ hostname, port, method, headers, ...(path && { path }) }, (answer) => {
        response.writeHead(answer.statusCode as number, answer.headers);
        answer.pipe(response);
      });
      to.on('error', (error) => response.destroy(error));
      to.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

const failures = (stdout: string) => stdout.split('\n').filter((line) => line.startsWith('FAILED'));
const applications = async () => {
  const response = await fetch(`${host.url}/applications`, { headers: { 'x-api-key': adminKey } });
  return ((await response.json()) as { data: unknown[] }).data;
};

test('script/smoke names what a gateway changes, and deletes its application nevertheless', async () => {
  const url = await gateway((request, response, forward) => {
    if (Number(request.headers['content-length']) > 10_000_000) {
      response.writeHead(503, { 'content-type': 'application/problem+json' }).end('{"code":"unavailable"}');
    } else if (request.method === 'OPTIONS') response.writeHead(403).end('{"message":"Forbidden"}');
    else {
      // Some gateways decode a query string and encode it again.
      forward(request.url?.replace(/%2B/g, '+'));
    }
  });
  const { status, stdout } = await smoke([url], { ADMIN_KEY: adminKey });
  expect(status).toBe(1);
  expect(failures(stdout)).toEqual([
    expect.stringMatching(
      /^FAILED {2}the preflight of a browser is 204: expected 204, got 403 \{"message":"Forbidden"\}$/,
    ),
    expect.stringMatching(/^FAILED {2}a body above the limit gets 413.*: expected 413, got 503 /),
    expect.stringMatching(/^FAILED {2}a search finds every character.*: expected \?q=%3B%20c%2Bd to find the message/),
  ]);
  expect(stdout).toMatch(/\n3 checks failed\.\n$/);
  await expect.poll(applications).toEqual([]);
});

test('script/smoke changes nothing with --read-only, and asks for the admin key where it is needed', async () => {
  const changed: string[] = [];
  const url = await gateway((request, _response, forward) => {
    if (request.url === '/v1/applications') changed.push(request.url);
    forward();
  });
  expect(await smoke([url, '--read-only'])).toMatchObject({ status: 0, stderr: '' });
  expect(changed).toEqual([]);
  expect(await smoke([url], { ADMIN_KEY: '' })).toMatchObject({
    status: 1,
    stderr: 'This system requires the admin key: set ADMIN_KEY, or pass --read-only.\n',
  });
});

test('script/smoke deletes its application when it is stopped, or when the reader of its output stops early', async () => {
  const run = (stopWhen: string) =>
    new Promise<number | null>((resolve) => {
      const child = startSmoke([host.url], { ADMIN_KEY: adminKey });
      child.stdout.on('data', (line: Buffer) => {
        if (!line.toString().includes(stopWhen)) return;
        if (stopWhen === 'a chat') child.kill('SIGINT');
        else child.stdout.destroy();
      });
      child.on('exit', resolve);
    });
  expect(await run('a chat')).toBe(130);
  await expect.poll(applications).toEqual([]);
  expect(await run('a create')).toBe(0);
  await expect.poll(applications).toEqual([]);
});

test.for([
  [{ 'content-type': 'application/problem+json', 'retry-after': '1' }, []],
  [{ 'content-type': 'application/json' }, [expect.stringContaining('as application/json')]],
] as const)('script/smoke --throttle checks that a 429 is a problem with Retry-After', async ([headers, expected]) => {
  let requests = 0;
  const url = await gateway((request, response, forward) => {
    if (request.url !== '/v1/health' || ++requests <= 100) return forward();
    const body = {
      ...{ type: 'urn:x', title: 'Too many requests', status: 429, detail: 'Retry after 1 s.' },
      ...{ code: 'too_many_requests', request_id: 'x' },
    };
    response.writeHead(429, headers).end(JSON.stringify(body));
  });
  const { stdout } = await smoke([url, '--read-only', '--throttle']);
  expect(failures(stdout)).toEqual(expected);
});

test('script/smoke refuses what is not a URL, and names an address that does not respond', async () => {
  expect(await smoke(['localhost'])).toMatchObject({ status: 2, stderr: expect.stringContaining('is not a URL') });
  expect(await smoke(['http://127.0.0.1:1/v1'])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^http:\/\/127\.0\.0\.1:1\/v1 does not respond: .*ECONNREFUSED/),
  });
});
