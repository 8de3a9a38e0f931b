import { randomUUID } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { beforeAll, expect, test, vi } from 'vitest';
import { type Route, routes } from '../../../lib/api/routes.ts';
import { type Answer, expectGeneralRules, type Message } from '../../support/client/client.ts';
import { RawConnection } from '../../support/client/raw-http.ts';
import { deployment, onStack, settled } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';

// How the API keeps to HTTP (RFC 9110) and CORS (the Fetch standard), on both engines. What is not HTTP at all (RFC 9112)
// is in test/e2e/hostile.test.ts, because on AWS it does not get past API Gateway.

const api = await deployment();

interface Exchange {
  /** The rule that the exchange tests. */
  rule: string;
  /** Method and path, relative to the base path; GET by default. `{…}` is replaced by the path of a resource. */
  request: string;
  /** The lines of the headers; `{etag}` is replaced by the ETag of the message. */
  lines?: string[];
  body?: string | Uint8Array;
  status: number;
  /** The code of the problem. */
  code?: string;
  /** Headers of the response; null for one that it must not have. */
  headers?: Record<string, string | RegExp | null>;
  /** The emulator handles this request differently from API Gateway. */
  notOnStack?: true;
}

const json = 'Content-Type: application/json';
const page = 'Origin: https://app.example';
const body = '{"body":"x"}';
const problem = (status: number, code: string) => ({ status, code });
const noRoute = problem(404, 'route_not_found');
const refusedCoding = {
  ...problem(415, 'unsupported_media_type'),
  headers: { 'accept-encoding': 'identity', 'cache-control': 'no-store' },
};
const plain = { 'content-encoding': null, vary: /^accept-encoding$/i };
const zipped = { 'content-encoding': 'gzip', vary: /^accept-encoding$/i };
const anyMethodAndHeader = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': '*',
  'access-control-allow-headers': /^\*, authorization$/i,
};
const preflight = (method: string, ...headers: string[]) => [
  page,
  `Access-Control-Request-Method: ${method}`,
  ...(headers.length > 0 ? [`Access-Control-Request-Headers: ${headers.join(',')}`] : []),
];

const exchanges: Exchange[] = [
  // Paths (RFC 9110, section 4.2.3; the contract)
  ...[
    'GET /applications/',
    'POST /applications/',
    'GET {application}/',
    'DELETE {application}/',
    'GET {application}/chats/',
    'POST {application}/chats/',
    'GET {chat}/',
    'PATCH {chat}/',
    'DELETE {chat}/',
    'POST {chat}/messages/',
    'POST {chat}/messages/batch/',
    'GET {chat}/messages/search/?q=x',
    'GET {message}/',
    'GET {application}/search/?q=x',
    'GET /applications/?limit=1',
    'GET /health/',
    'GET /openapi.json/',
    'GET /docs/',
    'GET {application}//chats',
    'GET /applications//chats',
  ].map((request) => ({
    rule: 'a path with an empty segment is another path',
    request,
    ...(request.startsWith('P') && { lines: [json], body: '{"name":"x","body":"x","messages":[{"body":"x"}]}' }),
    ...noRoute,
  })),
  { rule: 'a path is case-sensitive', request: '/Health', ...noRoute },
  ...['/%68ealth', '/healt%68', '/heal%74%68'].map((request) => ({
    rule: 'a letter and its percent-encoding are the same',
    request,
    status: 200,
  })),
  {
    rule: 'an encoded slash separates nothing',
    request: '/applications%2Fx',
    ...noRoute,
    // It decodes the slash before it looks for a route.
    notOnStack: true,
  },
  {
    rule: 'the base path leads to the docs page',
    request: '/',
    status: 200,
    headers: { 'content-type': /^text\/html/ },
  },
  { rule: 'the base path leads to the docs page', request: 'HEAD /', status: 200 },
  {
    rule: 'a method that the base path does not have is 405',
    request: 'POST /',
    ...problem(405, 'method_not_allowed'),
  },

  // Methods (RFC 9110, sections 9 and 15.5.6)
  {
    rule: 'a method that a resource does not have is 405 with Allow',
    request: 'DELETE {chat}/messages',
    ...problem(405, 'method_not_allowed'),
    headers: { allow: 'POST, GET, HEAD, OPTIONS' },
  },
  { rule: 'HEAD of what does not exist is 404', request: 'HEAD /nowhere', status: 404 },
  {
    rule: 'OPTIONS names the methods of a resource',
    request: 'OPTIONS {message}',
    status: 204,
    headers: { allow: 'GET, HEAD, PATCH, PUT, DELETE, OPTIONS' },
  },

  // Media types (sections 8.3, 12.5.1 and 15.5.16)
  {
    rule: 'two equal lines of Content-Type count as one',
    request: 'POST {chat}/messages',
    lines: [json, json],
    body,
    status: 201,
    // The emulator joins the lines before it makes the event.
    notOnStack: true,
  },
  {
    rule: 'two different lines of Content-Type are no media type',
    request: 'POST {chat}/messages',
    lines: [json, 'Content-Type: text/plain'],
    body,
    ...problem(415, 'unsupported_media_type'),
  },
  {
    rule: 'Accept may be disregarded',
    request: '{message}',
    lines: ['Accept: image/png'],
    status: 200,
    headers: { 'content-type': 'application/json' },
  },

  // Content codings of requests (sections 8.4, 12.5.3 and 15.5.16)
  ...(
    [
      ['gzip', gzipSync(body)],
      ['GZIP', gzipSync(body)],
      ['x-gzip', gzipSync(body)],
      ['br', brotliCompressSync(body)],
      ['deflate', deflateSync(body)],
      ['gzip', body],
      ['unheard-of', body],
      ['identity, gzip', gzipSync(body)],
    ] as const
  ).map(([coding, coded]) => ({
    rule: 'a content coding that is not known is 415, and the response names one that is',
    request: 'POST {chat}/messages',
    lines: [json, `Content-Encoding: ${coding}`],
    body: coded,
    ...refusedCoding,
  })),
  {
    rule: 'a content coding counts in any line',
    request: 'POST {chat}/messages',
    lines: [json, 'Content-Encoding: gzip', 'Content-Encoding: identity'],
    body,
    ...refusedCoding,
  },
  ...['identity', 'Identity', 'identity, identity'].map((coding) => ({
    rule: 'identity is no coding',
    request: 'POST {chat}/messages',
    lines: [json, `Content-Encoding: ${coding}`],
    body,
    status: 201,
  })),
  {
    rule: 'the content type is checked before the content coding',
    request: 'POST {chat}/messages',
    lines: ['Content-Type: text/plain', 'Content-Encoding: gzip'],
    body,
    ...problem(415, 'unsupported_media_type'),
    headers: { 'accept-encoding': null },
  },
  {
    rule: 'the content coding is checked before the size',
    request: 'POST {chat}/messages',
    lines: [json, 'Content-Encoding: gzip'],
    body: 'x'.repeat(1_048_577),
    ...refusedCoding,
  },
  {
    rule: 'an empty body has no coding',
    request: 'POST {application}/chats',
    lines: ['Content-Encoding: gzip', 'Content-Length: 0'],
    status: 201,
  },

  // Content codings of responses (section 12.5.3)
  ...['identity', 'gzip;q=0', 'gzip;q=0, br;q=0.0', 'br', '*;q=0', 'gzip;q=0, *', 'gzip;q=0.5, identity'].map(
    (accepted) => ({
      rule: `nothing is compressed with Accept-Encoding: ${accepted}`,
      request: '{chat}/messages',
      lines: ['Accept: */*', `Accept-Encoding: ${accepted}`],
      status: 200,
      headers: plain,
    }),
  ),
  { rule: 'nothing is compressed without Accept-Encoding', request: '{chat}/messages', status: 200, headers: plain },
  ...[
    'gzip',
    'GZIP',
    'gzip, deflate, br',
    'br;q=0, gzip;q=0.5',
    '*',
    'identity;q=0, *;q=0.1',
    'identity;q=0, gzip',
  ].map((accepted) => ({
    rule: `a response of 1,000 bytes is compressed with Accept-Encoding: ${accepted}`,
    request: '{chat}/messages',
    lines: ['Accept: */*', `Accept-Encoding: ${accepted}`],
    status: 200,
    headers: zipped,
  })),
  {
    rule: 'several lines of Accept-Encoding are one list',
    request: '{chat}/messages',
    lines: ['Accept: */*', 'Accept-Encoding: gzip', 'Accept-Encoding: br;q=0.5'],
    status: 200,
    headers: zipped,
  },
  {
    rule: 'HEAD has the headers of a compressed GET',
    request: 'HEAD {chat}/messages',
    lines: ['Accept: */*', 'Accept-Encoding: gzip'],
    status: 200,
    headers: zipped,
  },
  {
    rule: 'a short response is not compressed',
    request: '/health',
    lines: ['Accept: */*', 'Accept-Encoding: gzip'],
    status: 200,
    headers: { 'content-encoding': null, vary: null },
  },
  {
    rule: 'a response to a create is compressed too',
    request: 'POST {chat}/messages/batch',
    lines: [json, 'Accept: */*', 'Accept-Encoding: gzip'],
    body: JSON.stringify({ messages: Array(20).fill({ body: 'x' }) }),
    status: 201,
    headers: zipped,
  },
  {
    rule: 'a long problem is compressed too',
    request: 'POST {chat}/messages/batch',
    lines: [json, 'Accept: */*', 'Accept-Encoding: gzip'],
    body: JSON.stringify({ messages: Array(20).fill({ body: '' }) }),
    ...problem(422, 'validation_failed'),
    headers: zipped,
  },

  // Conditional requests (sections 13.1 and 15.4.5)
  ...['{etag}', '"other", {etag}', '*', 'W/"other",{etag}'].map((tags) => ({
    rule: `If-None-Match: ${tags} gets 304`,
    request: '{message}',
    lines: ['Accept: */*', 'Accept-Encoding: gzip', `If-None-Match: ${tags}`],
    status: 304,
    headers: {
      etag: /^W\/"/,
      'cache-control': 'private, no-cache',
      vary: /^accept-encoding$/i,
      'content-encoding': null,
    },
  })),
  ...['"a,*,b"', '"*"', '"{etag}"', '', '*,'].map((tags) => ({
    rule: `If-None-Match: ${tags} names another ETag or none`,
    request: '{message}',
    lines: [`If-None-Match: ${tags}`],
    status: 200,
  })),
  {
    rule: 'several lines of If-None-Match are one list',
    request: '{message}',
    lines: ['If-None-Match: {etag}', 'If-None-Match: "other"'],
    status: 304,
  },
  {
    rule: 'a weak ETag is that of every content coding',
    request: '{message}',
    lines: ['If-None-Match: {etag}'],
    status: 304,
  },
  { rule: 'If-Match is not evaluated', request: '{message}', lines: ['If-Match: "other"'], status: 200 },
  {
    rule: 'If-Modified-Since is ignored where nothing has Last-Modified',
    request: '{message}',
    lines: ['If-Modified-Since: Sat, 28 Nov 2099 00:00:00 GMT'],
    status: 200,
  },
  {
    rule: 'a server may ignore Range (section 14.2)',
    request: '{message}',
    lines: ['Range: bytes=0-1'],
    status: 200,
    headers: { 'content-range': null },
  },

  // Content-Length (section 8.6). The server does not read the rest of the long body, so it closes the connection.
  ...[
    ['DELETE {chat}/messages/2', 204],
    ['OPTIONS {message}', 204],
    ['GET {message}', 304],
  ].map(([request, status]) => ({
    rule: 'a response without a body has no length, not even to a request with a body that nobody reads',
    request: request as string,
    lines: ['If-None-Match: *'],
    body: 'x'.repeat(1_000_000),
    status: status as number,
    headers: { 'content-length': null },
    notOnStack: true as const,
  })),

  // Repeated headers (section 5.3)
  ...[
    ['Idempotency-Key: one', 'Idempotency-Key: two'],
    ['Idempotency-Key: "one"', 'idempotency-key: "two"'],
    ['Idempotency-Key: a', 'Idempotency-Key: a', 'Idempotency-Key: b'],
  ].map((lines) => ({
    rule: `several values of Idempotency-Key are refused: ${lines.join(' + ')}`,
    request: 'POST {chat}/messages',
    lines: [json, ...lines],
    body,
    ...problem(422, 'validation_failed'),
    // The emulator joins the lines before it makes the event, as a proxy may do; the result is a key of its own.
    notOnStack: true as const,
  })),

  // JSON (RFC 8259)
  {
    rule: 'a byte order mark is no JSON (section 8.1)',
    request: 'POST {chat}/messages',
    lines: [json],
    body: `\ufeff${body}`,
    ...problem(400, 'malformed_json'),
  },
  ...['null', ' null\n', ' ', '\r\n'].map((sent) => ({
    rule: `where the body may be missing, it may be ${JSON.stringify(sent)}`,
    request: 'POST {application}/chats',
    lines: [json],
    body: sent,
    status: 201,
  })),
  {
    rule: 'null is no message',
    request: 'POST {chat}/messages',
    lines: [json],
    body: 'null',
    ...problem(422, 'validation_failed'),
  },

  // CORS (Fetch standard, sections 3.2 and 4.8)
  ...[
    '/applications',
    '{application}',
    '{message}',
    '/nowhere',
    '/applications/',
    '{message}/nowhere',
    '/',
    '/docs',
  ].flatMap((path) =>
    [
      preflight('POST', 'content-type', 'idempotency-key'),
      preflight('PATCH', 'authorization', 'content-type', 'x-requested-with'),
      preflight('DELETE', 'traceparent', 'x-made-up-header', 'sentry-trace', 'baggage'),
      preflight('GET'),
    ].map((lines) => ({
      rule: `a preflight is 204: ${lines.slice(1).join(' + ')}`,
      request: `OPTIONS ${path}`,
      lines,
      status: 204,
      headers: anyMethodAndHeader,
    })),
  ),
  { rule: 'OPTIONS without a method is no preflight', request: 'OPTIONS /nowhere', lines: [page], ...noRoute },
  {
    rule: 'a page may send Authorization',
    request: '{message}',
    lines: [page, 'Authorization: Bearer secret'],
    status: 200,
  },
  {
    rule: 'a page may read the headers that matter',
    request: '{message}',
    lines: ['Origin: null'],
    status: 200,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'Date, ETag, Link, Location, Retry-After, x-request-id',
      date: /GMT$/,
    },
  },
];

let application: string;
let chat: string;
let message: string;
let etag: string;
beforeAll(async () => {
  application = await api.newApplication();
  chat = await api.newChat(application);
  message = `${chat}/messages/1`;
  await api.send(chat, ...Array.from({ length: 3 }, (_, i) => `${i} compressed words`.padEnd(1_000, ' and words')));
  await vi.waitFor(async () => expect((await api.get(`${chat}/messages/3`)).status).toBe(200), settled);
  etag = (await api.get(message)).headers.get('etag') ?? '';
}, settled.timeout + 60_000);

/** Sends a request with exactly these header lines, and returns the response. */
async function send({ request, lines = [], body = '' }: Omit<Exchange, 'status' | 'rule'>): Promise<Answer> {
  const [path = '', method = 'GET'] = request.split(' ').reverse();
  const { host, pathname } = new URL(api.base);
  const target = Object.entries({ application, chat, message }).reduce(
    (text, [name, resource]) => text.replace(`{${name}}`, resource),
    path,
  );
  const content = Buffer.from(body);
  const head = [
    `${method} ${pathname}${target} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: close',
    ...(content.length > 0 ? [`Content-Length: ${content.length}`] : []),
    ...lines.map((line) => line.replace('{etag}', etag)),
  ];
  const connection = await RawConnection.open(api.base);
  connection.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), content]));
  const answer = await connection.answer(method !== 'HEAD');
  connection.socket.destroy();
  expect(answer, `${method} ${path} has a response`).toBeDefined();
  return answer as Answer;
}

const here = exchanges.filter(({ notOnStack }) => !(notOnStack && onStack));
test.each(here.map((each) => [`${each.rule}: ${each.request} is ${each.status}`, each] as const))(
  'HTTP: %s',
  async (_what, { rule, status, code, headers = {}, ...sent }) => {
    const answer = await send(sent);
    if (code) expect(answer).toBeProblem(status, code);
    expect(answer.status, rule).toBe(status);
    for (const [name, expected] of Object.entries(headers)) {
      if (expected === null) expect(answer.headers.has(name), name).toBe(false);
      else
        expect(answer.headers.get(name), name).toEqual(
          expected instanceof RegExp ? expect.stringMatching(expected) : expected,
        );
    }
    if (!/ \/(docs)?$/.test(` ${sent.request.split(' ').at(-1)}`))
      expectGeneralRules(answer, sent.request, !sent.request.startsWith('HEAD'));
  },
);

test('HTTP: a compressed response is the same as a plain one', async () => {
  for (const request of ['{message}', '{chat}/messages', '/openapi.json', '/docs']) {
    const [got, other] = await Promise.all(
      ['gzip', 'identity'].map((coding) => send({ request, lines: ['Accept: */*', `Accept-Encoding: ${coding}`] })),
    );
    expect(got?.headers.get('content-encoding'), request).toBe('gzip');
    expect(got?.body).toEqual(other?.body);
    expect(Number(got?.headers.get('content-length'))).toBeLessThan(Number(other?.headers.get('content-length')));
  }
});

test('HTTP: equal values of Idempotency-Key count as one, quoted or bare', async () => {
  const key = randomUUID();
  const request = 'POST {chat}/messages';
  const first = (await send({ request, lines: [json, `Idempotency-Key: ${key}`], body })).body as Message;
  const again = [
    [`Idempotency-Key: "${key}"`],
    ...(onStack ? [] : [[`Idempotency-Key: ${key}`, `idempotency-key: "${key}"`]]),
  ];
  for (const lines of again)
    expect((await send({ request, lines: [json, ...lines], body })).body).toMatchObject({ number: first.number });
});

test('HTTP: a preflight allows every method of every route', async () => {
  for (const { path, method } of Object.values<Route>(routes)) {
    const request = `OPTIONS ${path.replaceAll(/\{\w+\}/g, '1')}`;
    const { status, headers } = await send({ request, lines: preflight(method, 'authorization') });
    expect([status, headers.get('access-control-allow-methods')], request).toEqual([204, '*']);
  }
});
