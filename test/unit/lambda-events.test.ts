import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { type HostRequest, lambdaContext, proxyEvent, sqsEvent } from '../../local/lambda-events.ts';

const request = ({
  lines = [],
  url = '/v1/health',
  params = {},
}: {
  lines?: [name: string, value: string][];
  url?: string;
  params?: Record<string, string>;
} = {}): HostRequest => {
  // A real one, because its headers are those that Node.js makes of the lines.
  const raw = new IncomingMessage(new Socket());
  // Node.js's own parser calls it.
  (raw as unknown as Adding)._addHeaderLines(lines.flat(), 2 * lines.length);
  return { id: 'request-1', params, raw: Object.assign(raw, { method: 'GET', url }) };
};
interface Adding {
  _addHeaderLines(namesAndValues: string[], count: number): void;
}

describe('the proxy event of a request', () => {
  test('the proxy event has the path without the stage, and the context has it with the stage, as on API Gateway', () => {
    const event = proxyEvent(request({ url: '/v1/applications/a%2Fb?limit=5' }), '/applications/{token}');
    expect(event).toMatchObject({ path: '/applications/a%2Fb', resource: '/applications/{token}', httpMethod: 'GET' });
    expect(event.requestContext).toMatchObject({
      path: '/v1/applications/a%2Fb',
      stage: 'v1',
      requestId: 'request-1',
    });
    for (const [url, path] of [
      ['/v1', '/'],
      ['/v1/', '/'],
      ['/%76%31/health', '/health'],
      ['http://x/v1/health', '/health'],
      ['/v1/a/', '/a/'],
      ['/v1//a', '//a'],
      ['*', '/'],
    ] as const)
      expect(proxyEvent(request({ url }), '/').path, url).toBe(path);
  });

  test('the proxy event has the decoded query, with the last value of a repeated parameter, and null without a query', () => {
    const query = (url: string) => proxyEvent(request({ url }), '/').queryStringParameters;
    expect(query('/v1/x?q=a%20b%26&q=%F0%9F%98%80&limit=5')).toEqual({ q: '\u{1F600}', limit: '5' });
    expect(query('/v1/x?q=what?')).toEqual({ q: 'what?' });
    expect(query('/v1/x')).toBeNull();
    expect(query('/v1/x?')).toBeNull();
  });

  test('the proxy event has the lines of a repeated header', () => {
    const lines: [string, string][] = [
      ['Accept', 'x'],
      ['X-Many', '1'],
      ['x-many', '2'],
      ['Content-Type', 'a'],
      ['Content-Type', 'b'],
    ];
    expect(proxyEvent(request({ lines }), '/').multiValueHeaders).toEqual({
      accept: ['x'],
      'x-many': ['1', '2'],
      'content-type': ['a', 'b'],
    });
    expect(proxyEvent(request({ lines: lines.slice(0, 2) }), '/')).toMatchObject({
      headers: { accept: 'x', 'x-many': '1' },
      multiValueHeaders: {},
    });
  });

  test('the proxy event of a request without an Accept header has one that accepts everything', () => {
    expect(proxyEvent(request(), '/').headers).toEqual({ accept: '*/*' });
  });

  test('the proxy event has the body as text when it is UTF-8, and otherwise in Base64', () => {
    const body = (bytes: Buffer | undefined) => {
      const event = proxyEvent(request(), '/', bytes);
      return [event.body, event.isBase64Encoded];
    };
    expect(body(Buffer.from('{"body":"é\u{1F600}"}'))).toEqual(['{"body":"é\u{1F600}"}', false]);
    expect(body(Buffer.from([0x22, 0xff, 0x22]))).toEqual(['Iv8i', true]);
    expect(body(Buffer.alloc(0))).toEqual([null, false]);
    expect(body(undefined)).toEqual([null, false]);
  });
});

test('the event of a batch has each delivery with its receive count', () => {
  const { Records } = sqsEvent('store', [{ receipt: '7', body: 'x', receives: 3 }]);
  expect(Records).toMatchObject([
    { messageId: '7', receiptHandle: '7', body: 'x', attributes: { ApproximateReceiveCount: '3' } },
  ]);
});

test('a context returns the remaining time', () => {
  vi.useFakeTimers();
  const context = lambdaContext('store', 50);
  expect(context.getRemainingTimeInMillis()).toBe(50);
  for (const date of ['2026-01-01', '2036-01-01']) {
    vi.setSystemTime(new Date(date));
    expect(context.getRemainingTimeInMillis()).toBe(50);
  }
  vi.advanceTimersByTime(60);
  expect(context.getRemainingTimeInMillis()).toBeLessThanOrEqual(0);
  vi.useRealTimers();
});
