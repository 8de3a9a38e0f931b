import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { getConsole } from '../../functions/api/get-console.ts';
import { getDocs } from '../../functions/api/get-docs.ts';
import { getOpenapi } from '../../functions/api/get-openapi.ts';
import type { HttpHandler } from '../../functions/runtime/http/operation.ts';
import { sharedBody } from '../../functions/runtime/http/proxy-result.ts';
import { documentOf } from '../../lib/api/documents.ts';
import { requestContext } from '../../local/lambda-events.ts';
import { answer, apiEvent } from '../support/client/api-event.ts';

const gzip = { accept: '*/*', 'accept-encoding': 'gzip' };
const documents: [id: 'getConsole' | 'getDocs' | 'getOpenapi', handler: HttpHandler, start: string][] = [
  ['getConsole', getConsole({ feed: { origins: [], transports: async () => [] } }), '<!doctype html>'],
  ['getDocs', getDocs({}), '<!doctype html>'],
  ['getOpenapi', getOpenapi({}), '{"openapi":"3.1.0"'],
];

describe.each(documents)('the response of %s', (id, handler, start) => {
  const asked = (headers: Record<string, string> = {}) =>
    handler(apiEvent(id, { headers }), requestContext('test', 'test'));

  test('all responses share the bytes of a document, compressed or not', async () => {
    for (const headers of [{}, gzip]) {
      const [one, other] = await Promise.all([asked(headers), asked(headers)]);
      expect(one[sharedBody]).toBeInstanceOf(Buffer);
      expect(other[sharedBody]).toBe(one[sharedBody]);
    }
  });

  test('the result for Lambda is text, or gzip in Base64, and has only members that API Gateway knows', async () => {
    const plain = JSON.parse(JSON.stringify(await asked()));
    expect(plain).toMatchObject({ statusCode: 200, isBase64Encoded: false, body: expect.stringMatching(/^[<{]/) });
    expect(plain.body.startsWith(start)).toBe(true);
    const compressed = JSON.parse(JSON.stringify(await asked(gzip)));
    expect(compressed).toMatchObject({ isBase64Encoded: true, headers: { 'content-encoding': 'gzip' } });
    expect(gunzipSync(Buffer.from(compressed.body, 'base64')).toString()).toBe(plain.body);
    // The response of a function may have 6 MB.
    expect(Math.max(plain.body.length, compressed.body.length)).toBeLessThan(4_000_000);
    for (const result of [plain, compressed])
      expect(Object.keys(result).sort()).toEqual(['body', 'headers', 'isBase64Encoded', 'statusCode']);
  });

  test('a document is not compressed without an Accept header, because API Gateway would not decode it', async () => {
    const { headers, isBase64Encoded } = await asked({ 'accept-encoding': 'gzip' });
    expect([headers, isBase64Encoded]).toEqual([expect.not.objectContaining({ 'content-encoding': 'gzip' }), false]);
  });

  test('any cache may store a document but must revalidate it', async () => {
    const { headers } = await answer(handler, apiEvent(id));
    expect(headers).toMatchObject({
      'cache-control': 'no-cache',
      vary: 'accept-encoding',
      etag: expect.stringMatching(/^W\/"/),
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.any(String),
    });
    const again = await answer(handler, apiEvent(id, { headers: { 'If-None-Match': headers.etag as string } }));
    expect([again.status, again.text]).toEqual([304, '']);
    expect(again.headers).toMatchObject({ 'cache-control': 'no-cache', vary: 'accept-encoding', etag: headers.etag });
  });
});

test('the docs page sends no referrer to other sites', async () => {
  expect((await answer(getDocs({}), apiEvent('getDocs'))).headers['referrer-policy']).toBe('no-referrer');
});

test('the console may connect to the API itself and, on AWS, to the address of its feed, and to nothing else', async () => {
  const policyWith = async (...origins: string[]) => {
    const handler = getConsole({ feed: { origins, transports: async () => [] } });
    return `${(await answer(handler, apiEvent('getConsole'))).headers['content-security-policy']}`;
  };
  expect(await policyWith()).toContain("; connect-src 'self'; ");
  const realtime = 'wss://abc.appsync-realtime-api.eu-central-1.amazonaws.com';
  expect(await policyWith(realtime)).toContain(`; connect-src 'self' ${realtime}; `);
});

test('a document is built once, but a failed build is retried', async () => {
  let made = 0;
  const document = documentOf(async () => {
    if (++made === 1) throw new Error('too many open files');
    return { contentType: 'text/plain', text: 'a text' };
  });
  await expect(document()).rejects.toThrow('too many open files');
  const [one, other] = await Promise.all([document(), document()]);
  expect(other).toBe(one);
  expect(made).toBe(2);
});
