import { describe, expect, test } from 'vitest';
import { fallback } from '../../functions/api/fallback.ts';
import { type Route, routes } from '../../lib/api/routes.ts';
import { answer, apiEvent } from '../support/client/api-event.ts';

const handler = fallback();
const send = (method: string, path: string) => answer(handler, apiEvent('getHealth', { method, path }));

describe('requests without an operation', () => {
  test.for([
    '/',
    '/nothing',
    '/applications/',
    '/applications/t/chats/1/messages/1/likes',
    '/v1/health',
    '/healthy',
    '/openapiXjson',
  ])('an unknown path is route_not_found: %s', async (path) => {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const { status, json } = await send(method, path);
      expect([status, json.code]).toEqual([404, 'route_not_found']);
    }
  });

  test.for([
    ['PUT', '/applications', 'POST, GET, HEAD, OPTIONS'],
    ['POST', '/applications/t', 'GET, HEAD, PATCH, PUT, DELETE, OPTIONS'],
    ['GET', '/applications/t/chats/1/messages/batch', 'POST, OPTIONS'],
    ['DELETE', '/applications/t/chats/1/messages/search', 'GET, HEAD, OPTIONS'],
    ['POST', '/applications/t/chats/1/messages/12', 'GET, HEAD, PATCH, PUT, DELETE, OPTIONS'],
    ['POST', '/health', 'GET, HEAD, OPTIONS'],
    ['TRACE', '/openapi.json', 'GET, HEAD, OPTIONS'],
  ] as const)('a wrong method is 405 with Allow: %s %s', async ([method, path, allow]) => {
    const { status, headers, json } = await send(method, path);
    expect([status, json.code]).toEqual([405, 'method_not_allowed']);
    expect(headers.allow?.split(', ').sort()).toEqual(allow.split(', ').sort());
  });

  test('every route responds to a preflight with its methods and the headers that clients send', async () => {
    for (const { path, method } of Object.values<Route>(routes)) {
      const { status, headers, text } = await send('OPTIONS', path.replaceAll(/\{\w+\}/g, '1'));
      expect([status, text]).toEqual([204, '']);
      expect(headers['access-control-allow-origin']).toBe('*');
      expect(headers['access-control-allow-methods']?.split(', ')).toContain(method);
      const allowed = headers['access-control-allow-headers']?.split(', ');
      expect(allowed).toEqual(
        expect.arrayContaining(['content-type', 'idempotency-key', 'if-none-match', 'x-api-key']),
      );
    }
  });
});
