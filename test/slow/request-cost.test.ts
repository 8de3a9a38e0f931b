import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createApplication } from '../../functions/api/create-application.ts';
import { createMessage } from '../../functions/api/create-message.ts';
import { createMessages } from '../../functions/api/create-messages.ts';
import { getChat } from '../../functions/api/get-chat.ts';
import { getDocs } from '../../functions/api/get-docs.ts';
import { listMessages } from '../../functions/api/list-messages.ts';
import type { HttpHandler } from '../../functions/runtime/http/operation.ts';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import type { Services } from '../../functions/runtime/services.ts';
import type { OperationId } from '../../lib/api/routes.ts';
import { limits } from '../../lib/limits.ts';
import { NotFound } from '../../lib/model/errors.ts';
import { expectProcessorTime } from '../support/basics/processor-time.ts';
import { type Answered, answer, apiEvent, type RequestParts } from '../support/client/api-event.ts';
import { testCursors } from '../support/client/cursors.ts';
import { costlyBodies } from './costly-bodies.ts';

setLogLevel('silent');

/** Processor time in milliseconds that a request may take before its token is looked up. */
const mostMs = 30;
/** Bytes; more than any problem needs. */
const maxBytes = 20_000;

const refuse = async () => {
  throw new NotFound('application');
};
const nothing = {
  ledger: {
    createApplication: refuse,
    createMessages: refuse,
    chat: async () => undefined,
    application: async () => undefined,
  },
  store: {
    application: async () => 'unknown',
    chat: async () => 'unknown',
    existingMessages: async () => ({ rows: [], more: false }),
  },
  cursors: testCursors(),
} as unknown as Services;
const handlers = {
  createApplication: createApplication(nothing),
  createMessage: createMessage(nothing),
  createMessages: createMessages(nothing),
} satisfies Partial<Record<OperationId, HttpHandler>>;
const creates = Object.keys(handlers) as (keyof typeof handlers)[];

const processorMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/**
 * Returns the response to a request, and expects that it was cheap. Takes the median of five attempts, because other
 * tests use the machine.
 */
async function cheapAnswer(handler: HttpHandler, id: OperationId, parts: RequestParts): Promise<Answered> {
  const times: number[] = [];
  let answered: Answered | undefined;
  for (let i = 0; i < 5; i++) {
    const event = apiEvent(id, parts);
    const before = processorMs();
    answered = await answer(handler, event);
    times.push(processorMs() - before);
  }
  expectProcessorTime(times.sort((a, b) => a - b)[2] as number, mostMs);
  return answered as Answered;
}

describe('a body of one megabyte is refused at low cost, with a short response', () => {
  const cases = Object.entries(costlyBodies).flatMap(([what, body]) => creates.map((id) => [what, id, body] as const));

  test.for(cases)('a refusal is cheap: %s, sent to %s', { retry: 2 }, async ([what, id, body]) => {
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(limits.requestBytes);
    const { status, text, json } = await cheapAnswer(handlers[id], id, { body });
    expect([status, json.code], what).toEqual(
      what === 'a string that never ends' ? [400, 'malformed_json'] : [422, 'validation_failed'],
    );
    expect(Buffer.byteLength(text)).toBeLessThan(maxBytes);
  });

  test('a refusal is cheap for a body in Base64, as API Gateway passes it on', { retry: 2 }, async () => {
    const bytes = Buffer.from(costlyBodies['distinct members'] as string);
    const { status } = await cheapAnswer(handlers.createMessages, 'createMessages', { bytes });
    expect(status).toBe(422);
  });

  test.for(['empty objects', 'the number 1', 'wrong bodies', 'distinct short strings'])(
    'the number of messages is checked before the messages are: %s',
    async (what) => {
      const { json } = await answer(handlers.createMessages, apiEvent('createMessages', { body: costlyBodies[what] }));
      expect(json.errors).toEqual([{ pointer: '/messages', detail: 'must have at most 1000 messages' }]);
    },
  );

  test('a response names twenty faults and says that there are more', async () => {
    const { json } = await answer(
      handlers.createMessages,
      apiEvent('createMessages', { body: costlyBodies['missing bodies'] }),
    );
    expect(json.errors).toHaveLength(20);
    expect(json.detail).toMatch(/^\/messages\/0\/body is required; .*; and there are more faults$/);
  });
});

describe('the values of a body', () => {
  const codeOf = async (body: string) =>
    (await answer(handlers.createMessage, apiEvent('createMessage', { body }))).json.code;
  const withMembers = (count: number) =>
    `{"body":"x","more":{${Array.from({ length: count }, (_, i) => `"${i}":1`).join(',')}}}`;

  test('a body may have 30,000 object members and array items in total', async () => {
    // Two objects and a comma; there is one comma less than members.
    expect(await codeOf(withMembers(29_998))).toBe('application_not_found');
    expect(await codeOf(withMembers(29_999))).toBe('validation_failed');
  });

  test('values are not counted inside strings, however those are escaped', async () => {
    for (const text of ['[{,', '\\"[{,', '\\\\\\"[{,', '\\\\', '\\u0022[']) {
      const body = `{"body":"x","more":"${text.repeat(40_000)}"}`;
      expect(await codeOf(body), text).toBe('application_not_found');
      expect(await codeOf(`{"body":"x","more":["${text}",${'1,'.repeat(40_000)}1]}`), text).toBe('validation_failed');
    }
  });
});

describe('headers, path and query are processed at low cost', () => {
  const long = (unit: string) => unit.repeat(16_000 / unit.length);
  const cheapRequests: [string, OperationId, HttpHandler, RequestParts][] = [
    ...[' ', ';', 'a=b;', 'a="\\"";'].map((unit): [string, OperationId, HttpHandler, RequestParts] => [
      `a content type with ${JSON.stringify(unit)}`,
      'createMessage',
      handlers.createMessage,
      { headers: { 'Content-Type': `application/json;${long(unit)}x` }, body: { body: 'x' } },
    ]),
    ...[',', ';', 'gzip;q=0,', ' '].map((unit): [string, OperationId, HttpHandler, RequestParts] => [
      `an Accept-Encoding of ${JSON.stringify(unit)}`,
      'getDocs',
      getDocs({}),
      { headers: { Accept: '*/*', 'Accept-Encoding': long(unit) } },
    ]),
    ...['"",', ',', ' ', '"W/'].map((unit): [string, OperationId, HttpHandler, RequestParts] => [
      `an If-None-Match of ${JSON.stringify(unit)}`,
      'getChat',
      getChat(nothing),
      { headers: { 'If-None-Match': long(unit) } },
    ]),
    ['an Idempotency-Key', 'createMessage', handlers.createMessage, { headers: { 'Idempotency-Key': long('" ') } }],
    ['a path', 'getChat', getChat(nothing), { params: { token: long('A'), chat_number: long('9') } }],
    ['a limit', 'listMessages', listMessages(nothing), { query: { limit: long('9'), after: `${long('9')}x` } }],
    [
      'a cursor',
      'listMessages',
      listMessages(nothing),
      { query: { cursor: Buffer.from(long('[')).toString('base64url') } },
    ],
    [
      'a query of many parameters',
      'listMessages',
      listMessages(nothing),
      { query: Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`p${i}`, '1'])) },
    ],
  ];

  test.for(cheapRequests)('a request is cheap: %s', { retry: 2 }, async ([, id, handler, request]) => {
    const { status, text } = await cheapAnswer(handler, id, request);
    expect(status).toBeLessThan(500);
    if (status >= 400) expect(Buffer.byteLength(text)).toBeLessThan(maxBytes);
  });
});

describe('no body causes a 500', () => {
  const isFine = async (parts: RequestParts) => {
    for (const id of creates) {
      const { status, text } = await answer(handlers[id], apiEvent(id, parts));
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(Buffer.byteLength(text)).toBeLessThan(maxBytes);
    }
  };
  const key = fc.oneof(fc.constantFrom('messages', 'body', 'name', '__proto__', 'constructor', 'toJSON'), fc.string());
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 6 }, fc.jsonValue(), fc.array(tie('value')), fc.dictionary(key, tie('value'))),
  }));

  test('random JSON never causes a 500', async () => {
    await fc.assert(fc.asyncProperty(value, (body) => isFine({ body: JSON.stringify(body) })));
  });

  test('random text or bytes never cause a 500', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary' }), (body) => isFine({ body })));
    await fc.assert(fc.asyncProperty(fc.uint8Array({ minLength: 1 }), (bytes) => isFine({ bytes })));
  });
});
