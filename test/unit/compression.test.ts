import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createMessages } from '../../functions/api/create-messages.ts';
import { getMessage } from '../../functions/api/get-message.ts';
import { compressed, takesGzip } from '../../functions/runtime/http/content-coding.ts';
import type { Services } from '../../functions/runtime/services.ts';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import { lambdaContext } from '../../local/lambda-events.ts';
import { noAccess } from '../support/client/access.ts';
import { apiEvent, type RequestParts } from '../support/client/api-event.ts';

const ledger = { createMessages: async () => ({ first: 1, at: 0 }) } as unknown as Ledger;
const gzip = { Accept: '*/*', 'Accept-Encoding': 'gzip' };

/** Returns the result of reading a message with this body. */
const read = (body: string, headers: Record<string, string>, method = 'GET') => {
  const message = { number: 1, content: { sender: null, body, metadata: null }, createdAt: 0, updatedAt: 0 };
  const store = { existingMessage: async () => message };
  return getMessage({ store, ledger: {} } as unknown as Services)(
    apiEvent('getMessage', { headers, method }),
    lambdaContext('test'),
  );
};
/** A body whose message is a response of this many bytes. */
const bodyFor = async (bytes: number) =>
  'x'.repeat(1 + bytes - Buffer.byteLength((await read('x', { Accept: '*/*' })).body));

describe('a response', () => {
  test('a response of 1,000 bytes is compressed for a client that accepts gzip, and a shorter one is not', async () => {
    const [short, long] = [await bodyFor(999), await bodyFor(1_000)];
    const sent = await read(long, gzip);
    expect(sent).toMatchObject({ statusCode: 200, isBase64Encoded: true });
    expect(sent.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': 'application/json',
      vary: 'accept-encoding',
    });
    const plain = await read(long, { Accept: '*/*' });
    expect(plain.body).toHaveLength(1_000);
    expect(plain.headers).toMatchObject({ vary: 'accept-encoding', etag: sent.headers?.etag });
    expect(plain.headers).not.toHaveProperty('content-encoding');
    expect(gunzipSync(Buffer.from(sent.body, 'base64')).toString()).toBe(plain.body);

    const small = await read(short, gzip);
    expect(small.body).toHaveLength(999);
    expect(small.isBase64Encoded).not.toBe(true);
    for (const name of ['vary', 'content-encoding']) expect(small.headers).not.toHaveProperty(name);
  });

  test('HEAD has the headers of GET, and a 304 has its Vary and no content coding', async () => {
    const body = await bodyFor(1_000);
    const got = await read(body, gzip);
    expect(await read(body, gzip, 'HEAD')).toEqual({
      ...got,
      headers: { ...got.headers, 'x-request-id': expect.any(String) },
    });
    const again = await read(body, { ...gzip, 'If-None-Match': String(got.headers?.etag) });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    expect(again.headers).toMatchObject({ vary: 'accept-encoding', etag: got.headers?.etag });
    expect(again.headers).not.toHaveProperty('content-encoding');
  });

  test('a response is not compressed without an Accept header, because API Gateway would not decode it', async () => {
    expect((await read(await bodyFor(1_000), { 'Accept-Encoding': 'gzip' })).headers).not.toHaveProperty(
      'content-encoding',
    );
  });

  test('a long problem is compressed too', async () => {
    const parts: RequestParts = { headers: gzip, body: { messages: Array(20).fill({ body: '' }) } };
    const result = await createMessages({ ledger, access: noAccess })(
      apiEvent('createMessages', parts),
      lambdaContext('test'),
    );
    expect(result).toMatchObject({
      statusCode: 422,
      headers: { 'content-encoding': 'gzip', 'content-type': 'application/problem+json', vary: 'accept-encoding' },
    });
    expect(JSON.parse(gunzipSync(Buffer.from(result.body, 'base64')).toString())).toMatchObject({ status: 422 });
  });

  test('more long responses than can be compressed at a time are all compressed', async () => {
    const bodies = Array.from({ length: 20 }, (_, i) => `${i} `.repeat(40_000));
    const all = await Promise.all(bodies.map(compressed));
    expect(all.map((body) => gunzipSync(Buffer.from(body, 'base64')).toString())).toEqual(bodies);
  });
});

describe('a client', () => {
  test.for([
    'gzip',
    'GZIP',
    'x-gzip',
    '*',
    'gzip, deflate, br',
    'br;q=0, gzip;q=0.5',
    'br, *;q=0.1',
    'gzip ; q=1.000',
    'gzip;q=0.5, identity;q=0.5',
    'identity;q=0, *',
  ])('a client accepts gzip with Accept-Encoding: %s', (header) => {
    expect(takesGzip(header)).toBe(true);
  });

  test.for([
    undefined,
    '',
    'identity',
    'br',
    'gzip;q=0',
    'gzip;q=0.000, br',
    '*;q=0',
    'gzip;q=0, *',
    'gzip;q=0.5, identity',
    'gzip;q=2',
    'gzip;q=x',
    'notgzip',
    ',;,',
  ])('a client does not accept gzip with Accept-Encoding: %s', (header) => {
    expect(takesGzip(header)).toBe(false);
  });
});
