import { describe, expect, test } from 'vitest';
import { fallback } from '../../functions/api/fallback.ts';
import { pathsOf, type Route, routes } from '../../lib/api/routes.ts';
import { answer, apiEvent } from '../support/client/api-event.ts';

const handler = fallback();
const anyPath = '/{proxy+}';
/** @param resource the path of the route table that the host found for the path */
const send = (method: string, path: string, resource: string, headers: Record<string, string> = {}) =>
  answer(handler, apiEvent('getHealth', { method, path, resource, headers }));

const message = '/applications/{token}/chats/{chat_number}/messages/{message_number}';

describe('requests without an operation', () => {
  test.for([
    ['/nothing', anyPath],
    ['/applications/t/chats/1/messages/1/likes', anyPath],
    ['/v1/health', anyPath],
    ['/healthy', anyPath],
    ['/openapiXjson', anyPath],
    // API Gateway finds these resources, because it ignores empty segments.
    ['/applications/', '/applications'],
    ['//applications', '/applications'],
    ['/applications//chats', '/applications/{token}/chats'],
    ['/applications/t/', '/applications/{token}'],
    ['/applications/t/chats/1/messages/1/', message],
    ['/health/', '/health'],
    ['//', '/'],
  ] as const)('an unknown path is route_not_found, with a slash at its end too: %s', async ([path, resource]) => {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const { status, json } = await send(method, path, resource);
      expect([status, json.code]).toEqual([404, 'route_not_found']);
    }
  });

  test.for([
    ['PUT', '/applications', '/applications', 'POST, GET, HEAD, OPTIONS'],
    ['POST', '/applications/t', '/applications/{token}', 'GET, HEAD, PATCH, PUT, DELETE, OPTIONS'],
    [
      'GET',
      '/applications/t/chats/1/messages/batch',
      '/applications/{token}/chats/{chat_number}/messages/batch',
      'POST, OPTIONS',
    ],
    ['POST', '/applications/t/chats/1/messages/12', message, 'GET, HEAD, PATCH, PUT, DELETE, OPTIONS'],
    ['POST', '/health', '/health', 'GET, HEAD, OPTIONS'],
    ['TRACE', '/openapi.json', '/openapi.json', 'GET, HEAD, OPTIONS'],
    ['POST', '/', '/', 'GET, HEAD, OPTIONS'],
    // Behind a custom domain with a base path mapping, an event's path begins with the mapping.
    ['PUT', '/chat/applications', '/applications', 'POST, GET, HEAD, OPTIONS'],
  ] as const)('a wrong method is 405 with Allow: %s %s', async ([method, path, resource, allow]) => {
    const { status, headers, json } = await send(method, path, resource);
    expect([status, json.code]).toEqual([405, 'method_not_allowed']);
    expect(headers.allow?.split(', ').sort()).toEqual(allow.split(', ').sort());
  });

  test('every path, known or not, responds to a preflight that allows every method and header', async () => {
    const known = Object.values<Route>(routes).flatMap(pathsOf);
    for (const resource of [...known, anyPath])
      for (const path of [resource.replaceAll(/\{\w+\}/g, '1').replace(anyPath, '/nowhere'), '/applications/1/']) {
        const asked = { 'Access-Control-Request-Method': 'PATCH', Origin: 'https://app.example' };
        const { status, headers, text } = await send('OPTIONS', path, resource, asked);
        expect([status, text]).toEqual([204, '']);
        expect(headers).toMatchObject({
          'access-control-allow-origin': '*',
          'access-control-allow-methods': '*',
          // `*` covers every header except Authorization.
          'access-control-allow-headers': '*, Authorization',
        });
      }
  });
});
