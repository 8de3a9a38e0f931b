import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { concurrently } from '../support/basics/concurrently.ts';
import { type Answer, type Application, Client, expectGeneralRules, type Message } from '../support/client/client.ts';
import { type Host, launch, newDataDir, ready, removeDataDir } from '../support/servers/host.ts';
import { residentMiB } from './memory.ts';
import '../support/client/problem-matcher.ts';
import { RawConnection } from '../support/client/raw-http.ts';

const mebibyte = 1_048_576;
/** How long a client may take to send a request, in milliseconds, as in local/server.ts. */
const requestTimeoutMs = 30_000;

let dataDir: string;
let host: Host;
let client: Client;
/** An upload that stops half-way and keeps the connection open. The last tests check its response. */
let stalled: Promise<{ answer: Answer | undefined; afterMs: number }>;
/** A request that stops in the middle of its headers. */
let stalledHead: Promise<Answer | undefined>;

beforeAll(async () => {
  dataDir = newDataDir();
  // With a small heap V8 collects often, so leaks per request become visible and would crash the host.
  const littleMemory = { NODE_OPTIONS: '--max-old-space-size=96 --max-semi-space-size=2' };
  host = await ready(launch(['--port', '0', '--data-dir', dataDir], littleMemory));
  client = await Client.connect(host.url);
  const upload = await RawConnection.open(host.url);
  upload.write(
    'POST /v1/applications HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"name":"',
  );
  const head = await RawConnection.open(host.url);
  head.write('GET /v1/health HTTP/1.1\r\nHost:');
  const begun = performance.now();
  stalled = upload.answer().then((answer) => ({ answer, afterMs: performance.now() - begun }));
  stalledHead = head.answer();
});
afterAll(async () => {
  await host.stop('SIGKILL');
  removeDataDir(dataDir);
});

/** Writes the bytes on a new connection, and returns all responses until the host closes it. */
async function exchange(bytes: string | Uint8Array, { end = false, withBody = true } = {}): Promise<Answer[]> {
  const connection = await RawConnection.open(host.url);
  onTestFinished(() => void connection.socket.destroy());
  connection.write(bytes);
  if (end) connection.socket.end();
  const answers: Answer[] = [];
  for (let next = await connection.answer(withBody); next; next = await connection.answer(withBody)) {
    if (next.status !== 100) expectGeneralRules(next, JSON.stringify(String(bytes).slice(0, 80)), withBody);
    answers.push(next);
  }
  return answers;
}

/** Returns the only response. */
async function answerTo(...request: Parameters<typeof exchange>): Promise<Answer> {
  const answers = await exchange(...request);
  expect(answers.map(({ status }) => status)).toHaveLength(1);
  return answers[0] as Answer;
}

interface RawRequest {
  method?: string;
  target?: string;
  headers?: string[];
  body?: string | Uint8Array;
  version?: string;
}

/** Returns the bytes of a request that asks the host to close the connection. */
function requestOf({
  method,
  target = '/v1/applications',
  headers = [],
  body,
  version = '1.1',
}: RawRequest): Uint8Array {
  const content = Buffer.from(body ?? '');
  const lines = [
    `${method ?? (body === undefined ? 'GET' : 'POST')} ${target} HTTP/${version}`,
    'Host: localhost',
    'Connection: close',
    ...(body === undefined ? [] : [`Content-Length: ${content.length}`, 'Content-Type: application/json']),
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), content]);
}

const post = (body: string | Uint8Array, ...headers: string[]) => answerTo(requestOf({ body, headers }));

describe('a body', () => {
  test('a body of 1 MiB is validated, and one byte more is too large, on every route that takes a body', async () => {
    const chat = await client.newChat();
    await client.send(chat, 'x');
    const [application = ''] = chat.split('/chats');
    const routes: [string, string, string][] = [
      ['POST', '/applications', 'name'],
      ['PATCH', application, 'name'],
      ['POST', `${application}/chats`, 'name'],
      ['PUT', chat, 'name'],
      ['POST', `${chat}/messages`, 'body'],
      ['POST', `${chat}/messages/batch`, 'messages'],
      ['PATCH', `${chat}/messages/1`, 'body'],
    ];
    for (const [method, path, member] of routes) {
      const bare = `{"${member}":""}`;
      const body = bare.replace('""', `"${'x'.repeat(mebibyte - bare.length)}"`);
      expect(await client.call(method, path, { body })).toBeProblem(422, 'validation_failed', `/${member}`);
      expect(await client.call(method, path, { body: `${body} ` })).toBeProblem(413, 'payload_too_large');
    }
  });

  test('a far too large body is refused without being buffered, whatever length it claims, and nothing after it is served', async () => {
    const piece = Buffer.alloc(mebibyte, 'x');
    for (const length of [`Content-Length: ${8 * mebibyte}`, 'Transfer-Encoding: chunked']) {
      const connection = await RawConnection.open(host.url);
      onTestFinished(() => void connection.socket.destroy());
      connection.write(
        `POST /v1/applications HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${length}\r\n\r\n`,
      );
      const chunked = length.startsWith('T');
      for (let i = 0; i < 8; i++) {
        if (chunked) connection.write(`${mebibyte.toString(16)}\r\n`);
        connection.write(piece);
        if (chunked) connection.write('\r\n');
      }
      if (chunked) connection.write('0\r\n\r\n');
      connection.write('GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const answers = await connection.answers();
      expect(answers).toEqual([expect.toBeProblem(413, 'payload_too_large')]);
      expect(answers[0]?.headers.get('connection')).toBe('close');
    }
  });

  test('a connection is closed when a body that is too large does not end', async () => {
    const connection = await RawConnection.open(host.url);
    onTestFinished(() => void connection.socket.destroy());
    connection.write(
      `POST /v1/applications HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${2 ** 40}\r\n\r\n`,
    );
    expect(await connection.answer()).toBeProblem(413, 'payload_too_large');
    for (let sent = 0; sent < 64 && !connection.socket.destroyed; sent++) {
      connection.write(Buffer.alloc(mebibyte, 'x'));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await connection.closed;
  });

  const nested = (depth: number, open: string, close: string) => `${open.repeat(depth)}1${close.repeat(depth)}`;
  test.each([1_000, 29_000])(
    'a body may be nested %i deep in unknown members, but not in known ones',
    async (depth) => {
      for (const deep of [nested(depth, '[', ']'), nested(depth, '{"a":', '}')]) {
        expect((await post(`{"name":"x","other":${deep}}`)).status).toBe(201);
        expect(await post(`{"name":${deep}}`)).toBeProblem(422, 'validation_failed', '/name');
        expect(await post(deep)).toBeProblem(422, 'validation_failed', ...(deep.startsWith('[') ? [''] : ['/name']));
        expect(await post(deep.slice(0, -1))).toBeProblem(400, 'malformed_json');
      }
      const chat = await client.newChat();
      const messages = nested(depth, '[', ']');
      expect(await client.post(`${chat}/messages/batch`, `{"messages":${messages}}`)).toBeProblem(
        422,
        'validation_failed',
        '/messages/0',
      );
    },
  );

  test('a body nested 100,000 deep is refused everywhere', async () => {
    for (const deep of [nested(100_000, '[', ']'), nested(100_000, '{"a":', '}')])
      expect(await post(`{"name":"x","other":${deep}}`)).toBeProblem(422, 'validation_failed', '');
  });

  test('the last of two members with the same name counts', async () => {
    expect((await post('{"name":"first","name":"last"}')).body).toMatchObject({ name: 'last' });
    expect(await post('{"name":"first","name":7}')).toBeProblem(422, 'validation_failed', '/name');
    expect((await post('{"name":7,"n\\u0061me":"last"}')).body).toMatchObject({ name: 'last' });
  });

  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'a body with a member %s is handled like any other with an unknown member',
    async (member) => {
      const { status, body } = await post(`{"name":"x","${member}":{"name":"y","chats_count":9,"prototype":{"z":1}}}`);
      expect([status, body]).toEqual([201, expect.objectContaining({ name: 'x', chats_count: 0 })]);
      expect(Object.keys(body as Application)).not.toContain(member);
      expect(await post(`{"${member}":{"name":"y"}}`)).toBeProblem(422, 'validation_failed', '/name');
      expect(await post('{}')).toBeProblem(422, 'validation_failed', '/name');
      const chat = await client.newChat();
      const batch = `{"messages":[{"${member}":{"body":"y"}}],"${member}":{"messages":[]}}`;
      expect(await client.post(`${chat}/messages/batch`, batch)).toBeProblem(
        422,
        'validation_failed',
        '/messages/0/body',
      );
    },
  );

  test.each([
    ['a lone continuation byte', [0x80]],
    ['a truncated sequence', [0xe2, 0x82]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point beyond the last', [0xf4, 0x90, 0x80, 0x80]],
    ['Latin-1', [0xe9]],
  ])('a body that is not UTF-8 is malformed_json: %s', async (_what, bytes) => {
    const body = Buffer.concat([Buffer.from('{"name":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expect(await post(body)).toBeProblem(400, 'malformed_json');
  });

  test('a body in another encoding is malformed_json, and so is a body with a byte order mark', async () => {
    const json = '{"name":"x"}';
    expect(await post(Buffer.from(json, 'utf16le'))).toBeProblem(400, 'malformed_json');
    expect(await post(Buffer.from(`\ufeff${json}`, 'utf16le'))).toBeProblem(400, 'malformed_json');
    expect(await post(Buffer.from(`\ufeff${json}`))).toBeProblem(400, 'malformed_json');
  });

  test.each([
    ['no content type', []],
    ['an empty content type', ['Content-Type:']],
    ['an invalid content type', ['Content-Type: \x01\x7f']],
    ['a content coding', ['Content-Type: application/json', 'Content-Encoding: gzip']],
    ['bytes beyond ASCII', ['Content-Type: application/json\xff']],
    ['a very long charset', [`Content-Type: application/json; charset=${'x'.repeat(10_000)}`]],
  ])('a body with %s is refused because of its content type or as malformed HTTP', async (_what, headers) => {
    const body = '{"name":"x"}';
    const lines = [
      'POST /v1/applications HTTP/1.1',
      'Host: localhost',
      'Connection: close',
      `Content-Length: ${body.length}`,
      ...headers,
    ];
    const { status, body: problem } = await answerTo(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'));
    expect([status, problem]).toEqual(
      expect.toBeOneOf([
        [415, expect.objectContaining({ code: 'unsupported_media_type' })],
        [400, expect.objectContaining({ code: 'malformed_request' })],
      ]),
    );
  });
});

describe('an empty body', () => {
  const wrong = [
    '',
    'x',
    'application/json; charset',
    '\x01',
    'text/plain',
    'application/xml; charset=utf-16',
    'a/b/c',
  ];

  test.each(wrong)('an empty body needs no content type, so %j is accepted', async (type) => {
    const [application = ''] = (await client.newChat()).split('/chats');
    for (const length of ['Content-Length: 0\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n']) {
      const head = `Host: localhost\r\nConnection: close\r\nContent-Type: ${type}\r\n${length}`;
      const chat = await answerTo(`POST /v1${application}/chats HTTP/1.1\r\n${head}`);
      // A control character in a header is malformed HTTP.
      if (type === '\x01') expect(chat).toBeProblem(400, 'malformed_request');
      else expect(chat.status).toBe(201);
      if (type === '\x01') continue;
      const patch = await answerTo(`PATCH /v1${application} HTTP/1.1\r\n${head}`);
      expect(patch).toBeProblem(422, 'validation_failed', '/name');
    }
  });

  test.each(['', 'x', 'text/plain', 'a/b/c'])(
    'a body with a single character is not empty, so the content type %j is refused',
    async (type) => {
      const [application = ''] = (await client.newChat()).split('/chats');
      const head = `Host: localhost\r\nConnection: close\r\nContent-Type: ${type}\r\n`;
      for (const body of ['Content-Length: 2\r\n\r\n{}', 'Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'])
        expect(await answerTo(`POST /v1${application}/chats HTTP/1.1\r\n${head}${body}`)).toBeProblem(
          415,
          'unsupported_media_type',
        );
    },
  );
});

describe('an upload that stops half-way', () => {
  const chunkedHead = 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';

  test.each([
    ['within a chunk', `${chunkedHead}5\r\n{"bod`],
    ['between two chunks', `${chunkedHead}5\r\n{"bod\r\n`],
    ['before its last chunk', `${chunkedHead}c\r\n{"body":"xy"}`],
    ['before its announced length', 'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"body":"x"}'],
    ['after its headers', chunkedHead],
  ])('an upload that ends half-way with its connection is malformed and takes no number: %s', async (_what, rest) => {
    const chat = await client.newChat();
    const request = `POST /v1${chat}/messages HTTP/1.1\r\nHost: localhost\r\n${rest}`;
    expect(await answerTo(request, { end: true })).toBeProblem(400, 'malformed_request');
    expect(await client.send(chat, 'The first')).toEqual([1]);
  });

  test('an upload that ends half-way with a reset takes no number', async () => {
    const chat = await client.newChat();
    await concurrently(200, 50, async () => {
      const connection = await RawConnection.open(host.url);
      connection.write(`POST /v1${chat}/messages HTTP/1.1\r\nHost: localhost\r\n${chunkedHead}5\r\n{"bod`);
      connection.socket.resetAndDestroy();
      await connection.closed;
    });
    expect(await client.send(chat, 'The first')).toEqual([1]);
  });
});

test('a client that ends its side of the connection after its requests gets every response', async () => {
  const chat = await client.newChat();
  const create = '{"body":"x"}';
  const requests = [
    `POST /v1${chat}/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${create.length}\r\n\r\n${create}`,
    `GET /v1${chat} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  ];
  for (const request of requests) expect((await answerTo(request, { end: true })).status).toBeLessThan(300);
  const pipelined = await exchange(requests.join('').repeat(20), { end: true });
  expect(pipelined.map(({ status }) => status)).toEqual(Array(20).fill([201, 200]).flat());
});

describe('what is not HTTP', () => {
  const health = 'GET /v1/health HTTP/1.1\r\nHost: localhost\r\n';
  const json = 'POST /v1/applications HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  test.each([
    ['garbage', 'Dear host,\r\nhow are you?\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['another version of HTTP', 'GET /v1/health HTTP/9.9\r\nHost: localhost\r\n\r\n'],
    ['an unknown method', 'FROB /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a method in lower case', 'get /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['no host', 'GET /v1/health HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['an older version of HTTP', 'GET /v1/health HTTP/0.9\r\nHost: localhost\r\n\r\n'],
    ['HTTP/2 in the syntax of HTTP/1', 'GET /v1/health HTTP/2.0\r\nHost: localhost\r\n\r\n'],
    ['two hosts', `${health}Host: example.org\r\n\r\n`],
    ['the same host twice', `${health}host: localhost\r\n\r\n`],
    ...['a b', 'http://x', 'x/y', 'user@x', 'x:y', '[::1', '\u00e9', '"x"'].map((invalid): [string, string] => [
      `the host ${invalid}`,
      `GET /v1/health HTTP/1.1\r\nHost: ${invalid}\r\n\r\n`,
    ]),
    ['an asterisk in the place of a path', 'GET * HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a header without a name', `${health}: x\r\n\r\n`],
    ['a space in a header name', `${health}bad header: x\r\n\r\n`],
    ['U+0000 in a header', `${health}X: a\0b\r\n\r\n`],
    ['line ends without CR', 'GET /v1/health HTTP/1.1\nHost: x\n\n'],
    ['bytes beyond ASCII in the path', 'GET /v1/applications/\u00e9 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a space in the path', 'GET /v1/applications/a b HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['two lengths', `${json}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
    ['a length and chunks', `${json}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a negative length', `${json}Content-Length: -1\r\n\r\n`],
    ['a length that is not a number', `${json}Content-Length: 1e3\r\n\r\n`],
    ['a length too large for a number', `${json}Content-Length: ${'9'.repeat(30)}\r\n\r\n`],
    ['an unknown transfer encoding', `${json}Transfer-Encoding: gzip\r\n\r\n{}`],
    ['a compressed transfer', `${json}Transfer-Encoding: gzip, chunked\r\n\r\nc\r\n{"name":"x"}\r\n0\r\n\r\n`],
    [
      'chunks in HTTP/1.0',
      'POST /v1/applications HTTP/1.0\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{"name":"x"}\r\n0\r\n\r\n',
    ],
    ['an invalid chunk size', `${json}Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n`],
    ['a chunk longer than its size', `${json}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n`],
    [
      'a flood of chunk extensions',
      `${json}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n{\r\n0\r\n\r\n`,
    ],
  ])('what is not HTTP is refused with malformed_request: %s', async (_what, request) => {
    expect(await answerTo(Buffer.from(request, 'latin1'))).toBeProblem(400, 'malformed_request');
  });
});

test.each(['localhost:3000', '127.0.0.1', '[::1]:80', 'my_host.example.', '', 'a%20b', 'x:'])(
  'the host %j is valid',
  async (valid) => {
    const request = `GET /v1/health HTTP/1.1\r\nHost: ${valid}\r\nConnection: close\r\n\r\n`;
    expect((await answerTo(request)).status).toBe(200);
  },
);

describe('headers', () => {
  test.each([
    ['one header of 20,000 bytes', [`X: ${'x'.repeat(20_000)}`]],
    ['one header with a name of 20,000 bytes', [`${'x'.repeat(20_000)}: x`]],
    ['4,000 headers', Array.from({ length: 4_000 }, () => 'X: y')],
  ])('too many or too long headers are refused with headers_too_large: %s', async (_what, headers) => {
    expect(await answerTo(requestOf({ headers }))).toBeProblem(431, 'headers_too_large');
  });

  test('headers of nearly 16 KiB are accepted', async () => {
    expect((await answerTo(requestOf({ headers: [`X: ${'x'.repeat(15_000)}`] }))).status).toBe(200);
    expect((await answerTo(requestOf({ headers: Array.from({ length: 200 }, () => 'X: y') }))).status).toBe(200);
  });
});

describe('a path', () => {
  // Clients resolve `.` and `..` as steps between folders, encoded or not.
  const segment = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !/^\.\.?$/.test(text));
  const shown = (text: string) => encodeURIComponent(text.toWellFormed());

  test('a path with any text as token names an unknown application', async () => {
    await fc.assert(
      fc.asyncProperty(segment, async (text) => {
        for (const below of ['', '/chats', '/chats/1/messages/1', '/search?q=x'])
          expect(await client.get(`/applications/${shown(text)}${below}`)).toBeProblem(404, 'application_not_found');
      }),
    );
  });

  test('a path with any text as number is refused by the name of the parameter, or names something unknown', async () => {
    const application = await client.newApplication();
    const nearly = fc.constantFrom(
      '0',
      '-1',
      '+1',
      '1.0',
      '1e3',
      '0x1',
      '01',
      ' 1',
      '1 ',
      '１',
      '١',
      '9'.repeat(400),
      '99',
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(segment, nearly), async (text) => {
        const answer = await client.get(`${application}/chats/${shown(text)}`);
        if (/^[1-9][0-9]*$/.test(text)) expect(answer).toBeProblem(404, 'chat_not_found');
        else expect(answer).toBeProblem(422, 'validation_failed', 'chat_number');
      }),
    );
  });

  const notFound = [404, 'route_not_found'] as const;
  const noApplication = [404, 'application_not_found'] as const;
  test.each<[string, readonly [number, string]]>([
    ['/v1//', notFound],
    ['/docs/', notFound],
    ['/v2/applications', notFound],
    ['/abc/applications', notFound],
    ['/applications', notFound],
    ['/V1/applications', notFound],
    ['//v1/applications', notFound],
    ['/v1//applications', notFound],
    ['/v1/applications/', notFound],
    ['/v1/applications//', notFound],
    ['/v1/applications//chats', notFound],
    ['/v1/applications/x/chats/', notFound],
    ['/v1/applications/x//chats', notFound],
    ['/v1/health/', notFound],
    ['/v1/./health', notFound],
    ['/v1/../v1/health', notFound],
    ['/v1/applications/../health', notFound],
    ['/v1/applications/..', noApplication],
    ['/v1/applications/%2e%2e', noApplication],
    ['/v1/applications/%2e%2e%2fhealth', noApplication],
    ['/v1/%2e%2e/v1/health', notFound],
    ['/v1%2fhealth', notFound],
    ['/v1/applications/a%2Fb', noApplication],
    ['/v1/applications/a%5cb', noApplication],
    ['/v1/applications/%00', noApplication],
    ['/v1/applications/%0d%0aX-Injected:%20yes', noApplication],
    ['/v1/applications/%F0%9F%98%80', noApplication],
    ['/v1/health%00', notFound],
    ['/v1/health;a=b', notFound],
    ['/etc/passwd', notFound],
    ['/v1/docs/../../../../etc/passwd', notFound],
    ['/v1/docs/%2e%2e/%2e%2e/package.json', notFound],
    ['/v1/applications/%zz', [400, 'malformed_request']],
    ['/v1/applications/%', [400, 'malformed_request']],
    ['/v1/applications/%f', [400, 'malformed_request']],
    ['/v1/applications/%ff%fe', [400, 'malformed_request']],
    ['/v1/applications/%c0%ae', [400, 'malformed_request']],
  ])('the path %s does not exist and gets the right problem', async (target, problem) => {
    const answer = await answerTo(requestOf({ target }));
    expect(answer).toBeProblem(...problem);
    expect(answer.headers.has('x-injected')).toBe(false);
  });

  test('a path may be as long as all headers together', async () => {
    const long = (segment: string, count: number) =>
      answerTo(requestOf({ target: `/v1/applications/${segment.repeat(count)}` }));
    expect(await long('a', 15_000)).toBeProblem(...noApplication);
    expect(await long('%61', 5_000)).toBeProblem(...noApplication);
    expect(await long('a/', 7_000)).toBeProblem(...notFound);
    expect(await long('../', 5_000)).toBeProblem(...notFound);
    expect(await long('a', 20_000)).toBeProblem(431, 'headers_too_large');
    expect(await long('?', 20_000)).toBeProblem(431, 'headers_too_large');
  });

  test('a path outside the base path leads to the docs page, behind any prefix of a proxy', async () => {
    const isPage = expect.stringMatching(/^<!doctype html>/);
    for (const [target, location, from] of [
      ['/', 'v1/docs', 'http://proxy/chat/'],
      ['/docs', 'v1/docs', 'http://proxy/chat/docs'],
    ] as const) {
      const answer = await answerTo(requestOf({ target }));
      expect([answer.status, answer.headers.get('location')], target).toEqual([307, location]);
      expect(new URL(location, from).href).toBe('http://proxy/chat/v1/docs');
      const head = await answerTo(requestOf({ method: 'HEAD', target }), { withBody: false });
      expect([head.status, head.headers.get('location')], target).toEqual([307, location]);
      expect((await answerTo(requestOf({ method: 'POST', target }))).status).toBe(404);
    }
    for (const target of ['/v1', '/v1/', '/v1/docs'])
      expect(await answerTo(requestOf({ target })), target).toMatchObject({ status: 200, body: isPage });
  });

  test('a path may be an absolute URL', async () => {
    expect((await answerTo(requestOf({ target: 'http://x/v1/health' }))).body).toEqual({ status: 'ok' });
    expect(await answerTo(requestOf({ target: 'http://x/v2/health' }))).toBeProblem(...notFound);
  });

  test('a host named in the path or a header appears in no response, so that references work behind any proxy', async () => {
    const evil = (method: string, target: string, body = '') =>
      answerTo(
        [
          `${method} ${target} HTTP/1.1`,
          'Host: evil.example',
          'X-Forwarded-Host: evil.example',
          'X-Forwarded-Prefix: /evil',
          'Forwarded: host=evil.example',
          'Connection: close',
          'Content-Type: application/json',
          `Content-Length: ${body.length}`,
          '',
          body,
        ].join('\r\n'),
      );
    const application = await client.newApplication();
    for (const [i, path] of [
      '/v1',
      '/%76%31',
      'http://evil.example/v1',
      'https://user@evil.example:1/%76%31',
    ].entries()) {
      const created = await evil('POST', `${path}${application}/chats`, '{"name":"Somewhere"}');
      expect([created.status, created.headers.get('location')]).toEqual([201, `chats/${2 * i + 1}`]);
      await client.post(`${application}/chats`);
      const listed = async () => (await client.get<{ data: unknown[] }>(`${application}/chats`)).body.data.length;
      await expect.poll(listed).toBeGreaterThan(1);
      for (const asked of [`${application}/chats?evil=1&limit=1`, '/openapi.json', '/docs', '/nowhere']) {
        const answer = await evil('GET', `${path}${asked}`);
        expect(JSON.stringify([answer.body, ...answer.headers]), asked).not.toMatch(/evil\b|%76/);
        if (asked.startsWith(application))
          expect(answer.headers.get('link')).toMatch(/^<\?limit=1&cursor=[\w-]+>; rel="next"$/);
      }
    }
  });

  test('a path may have any query', async () => {
    for (const query of [
      '?',
      '?&&&',
      '?=',
      '?%zz=%zz',
      '?__proto__=x',
      '?constructor[prototype]=x',
      '?limit[]=1',
      '?a=%ff',
      `?${'a&'.repeat(5_000)}`,
    ])
      expect((await answerTo(requestOf({ target: `/v1/applications${query}` }))).status, query).toBe(200);
    expect(await answerTo(requestOf({ target: '/v1/applications?limit=1&limit=0' }))).toBeProblem(
      422,
      'validation_failed',
      'limit',
    );
  });
});

describe('a method', () => {
  test.each(['TRACE', 'PROPFIND', 'PURGE', 'LINK', 'M-SEARCH', 'QUERY', 'PUT', 'DELETE'])(
    'the method %s is not allowed on a list',
    async (method) => {
      const answer = await answerTo(requestOf({ method }));
      expect(answer).toBeProblem(405, 'method_not_allowed');
      expect(answer.headers.get('allow')?.split(/, */).sort()).toEqual(['GET', 'HEAD', 'OPTIONS', 'POST']);
      expect(await answerTo(requestOf({ method, target: '/v1/nowhere' }))).toBeProblem(404, 'route_not_found');
    },
  );

  test('the response to TRACE contains nothing of the request', async () => {
    const { body } = await answerTo(requestOf({ method: 'TRACE', headers: ['X-Secret: 12345'] }));
    expect(JSON.stringify(body)).not.toContain('12345');
  });

  test('the response to HEAD has no body on any path', async () => {
    for (const target of ['/v1/health', '/v1/nowhere', '/v1/applications/x', '/v1/applications?limit=0']) {
      const [answer, ...more] = await exchange(requestOf({ method: 'HEAD', target }), { withBody: false });
      expect([answer?.headers.get('x-request-id'), more]).toEqual([expect.any(String), []]);
    }
  });

  test('OPTIONS gets a response on any path', async () => {
    expect((await answerTo(requestOf({ method: 'OPTIONS' }))).status).toBe(204);
    expect(await answerTo(requestOf({ method: 'OPTIONS', target: '/v1/nowhere' }))).toBeProblem(404, 'route_not_found');
    // The server as a whole (RFC 9110, section 9.3.7).
    expect((await answerTo(requestOf({ method: 'OPTIONS', target: '*' }))).status).toBe(204);
    const headers = ['Origin: https://app.example', 'Access-Control-Request-Method: POST'];
    for (const target of ['/', '/docs', '/v2', '/v1/%zz', '/v1/applications/%ff', '*'])
      expect((await answerTo(requestOf({ method: 'OPTIONS', target, headers }))).status, target).toBe(204);
  });

  test('CONNECT is refused and opens no tunnel', async () => {
    const answer = await answerTo('CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n');
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });
});

describe('on a loopback address without an admin key', () => {
  const status = async (path: string, ...headers: string[]) =>
    (await answerTo(`GET /v1${path} HTTP/1.1\r\nConnection: close\r\n${headers.join('\r\n')}\r\n\r\n`)).status;

  test.each(['evil.example', 'evil.example:4716', 'localhost.evil.example', '10.0.0.1', '127.0.0.1.evil.example', ''])(
    'without an admin key, a request with the host name %j may not create or list applications, even from a page of that host',
    async (name) => {
      expect(await status('/applications', `Host: ${name}`)).toBe(403);
      expect(await status('/applications', `Host: ${name}`, `Origin: http://${name}`)).toBe(403);
      const create = Buffer.from(requestOf({ body: '{"name":"x"}' }))
        .toString()
        .replace('Host: localhost', `Host: ${name}`);
      expect(await answerTo(create)).toBeProblem(403, 'not_allowed');
      // All other routes are protected by the token.
      expect(await status('/health', `Host: ${name}`)).toBe(200);
    },
  );

  test.each(['localhost:1', '127.0.0.1', '127.1.2.3:80', '[::1]:3000', 'chat.localhost', 'LOCALHOST'])(
    'without an admin key, a request with the host name %s may create and list applications, but not from a page of another origin',
    async (name) => {
      expect(await status('/applications', `Host: ${name}`)).toBe(200);
      expect(await status('/applications', `Host: ${name}`, `Origin: http://${name}`)).toBe(200);
      for (const origin of ['http://evil.example', 'null', 'http://localhost:8080'])
        expect(await status('/applications', `Host: ${name}`, `Origin: ${origin}`)).toBe(403);
    },
  );
});

describe('a connection', () => {
  test('a client may wait for 100 Continue before it sends its body', async () => {
    const connection = await RawConnection.open(host.url);
    const body = '{"name":"Patient"}';
    connection.write(
      `POST /v1/applications HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
    );
    expect((await connection.answer())?.status).toBe(100);
    connection.write(body);
    expect(await connection.answer()).toMatchObject({ status: 201, body: { name: 'Patient' } });
  });

  test('an Expect header other than 100-continue is ignored or refused', async () => {
    expect([200, 417]).toContain((await answerTo(requestOf({ headers: ['Expect: 200-ok'] }))).status);
  });

  test('a client may pipeline all its requests before it reads, and gets the responses in order', async () => {
    const chat = await client.newChat();
    const requests = Array.from({ length: 100 }, (_, i) => {
      const body = JSON.stringify({ body: `Pipelined ${i}` });
      return `POST /v1${chat}/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${i === 99 ? 'Connection: close\r\n' : ''}\r\n${body}`;
    });
    const answers = await exchange(requests.join(''));
    expect(answers.map(({ body }) => (body as Message).body)).toEqual(requests.map((_, i) => `Pipelined ${i}`));
  });

  test('a connection that ends in malformed HTTP first gets the responses to the requests before', async () => {
    const body = '{"name":"Accepted"}';
    const good = `POST /v1/applications HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    for (const more of ['garbage\r\n\r\n', 'GET /v1/health HTTP/1.1\r\nbad header: x\r\n\r\n']) {
      const [first, second] = await exchange(good + more);
      expect(first).toMatchObject({ status: 201, body: { name: 'Accepted' } });
      expect(second).toBeProblem(400, 'malformed_request');
    }
  });

  test('HTTP/1.0 is accepted with and without a Host header', async () => {
    for (const request of ['GET /v1/health HTTP/1.0\r\n\r\n', 'GET /v1/health HTTP/1.0\r\nHost: localhost\r\n\r\n'])
      expect((await answerTo(request)).body).toEqual({ status: 'ok' });
  });

  test('an upgrade request is served as a plain request', async () => {
    const headers = ['Connection: Upgrade', 'Upgrade: websocket'];
    expect((await answerTo(requestOf({ target: '/v1/health', headers }))).body).toEqual({ status: 'ok' });
  });

  test('each of 2,000 open connections is served', async () => {
    const connections = await concurrently(2_000, 200, () => RawConnection.open(host.url));
    onTestFinished(() => {
      for (const { socket } of connections) socket.destroy();
    });
    const request = 'GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n';
    for (let round = 0; round < 2; round++) {
      for (const connection of connections) connection.write(request);
      const answers = await Promise.all(connections.map((connection) => connection.answer()));
      expect(answers.filter((answer) => answer?.status === 200)).toHaveLength(2_000);
      expect(await client.send(await client.newChat(), 'Meanwhile')).toEqual([1]);
    }
  });
});

test('after thousands of bad requests memory stops growing, and the host works as before', async () => {
  const pid = host.process.pid as number;
  const chat = await client.newChat();
  const requests = [
    requestOf({ body: 'x'.repeat(mebibyte + 1) }),
    requestOf({ body: `{"name":"x","a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, target: `/v1${chat}/messages` }),
    requestOf({ body: `{"name":"${'x'.repeat(200_000)}"}` }),
    requestOf({ body: Buffer.from([0x7b, 0xff]) }),
    requestOf({ headers: [`X: ${'x'.repeat(20_000)}`] }),
    requestOf({ target: '/v1/applications/%zz' }),
    requestOf({ target: `/v1/applications/${'a'.repeat(15_000)}` }),
    requestOf({ target: `/v1${chat}/messages/search?q=${'%F0%9F%98%80'.repeat(257)}` }),
    requestOf({ method: 'PROPFIND' }),
    'garbage\r\n\r\n',
  ];
  const cutOff = `POST /v1${chat}/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"bod`;
  const barrage = (count: number) =>
    concurrently(count, 20, async (i) => {
      const connection = await RawConnection.open(host.url);
      if (i % 11 === 10) {
        connection.write(cutOff);
        connection.socket.end();
      } else connection.write(requests[i % 11] as string | Uint8Array);
      const [answer] = await connection.answers();
      expect(answer?.status).toBeGreaterThanOrEqual(400);
      connection.socket.destroy();
    });
  // Without a leak the heap grows for about 20 rounds, until the collector has adapted its size. A leak of 700 bytes a
  // request raises the lowest of four rounds by more than 4 MiB each time, so memory never becomes flat.
  const rounds: number[] = [];
  const isFlat = () => rounds.length >= 8 && Math.min(...rounds.slice(-4)) - Math.min(...rounds.slice(-8, -4)) < 4;
  while (!isFlat() && rounds.length < 40) {
    await barrage(1_500);
    rounds.push(residentMiB(pid));
  }
  console.log(`hostile: ${rounds.map((mib) => mib.toFixed(0)).join(', ')} MiB`);
  expect(isFlat(), 'resident memory still grows').toBe(true);
  expect(await client.send(chat, 'The first')).toEqual([1]);
});

test('a request that stops half-way gets request_timeout when its time is over', async () => {
  const { answer, afterMs } = await stalled;
  expect(answer).toBeProblem(408, 'request_timeout');
  expectGeneralRules(answer as Answer, 'a stalled upload');
  expect(await stalledHead).toBeProblem(408, 'request_timeout');
  expect(afterMs).toBeLessThan(requestTimeoutMs + 15_000);
});

test('none of these requests caused a logged error, and the host is running', async () => {
  expect((await client.get('/health')).status).toBe(200);
  expect(host.process.exitCode).toBeNull();
  expect(host.stdout()).not.toMatch(/"level":"(ERROR|CRITICAL|WARN)"/);
  expect(host.stderr()).toBe('');
});
