import { describe, expect, test } from 'vitest';
import type { OpenApi } from '../../support/client/openapi.ts';
import { deployment } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';

const api = await deployment();

const unknownApplication = `/applications/${'A'.repeat(22)}`;
const tooLarge = 1_048_577;
const text = { 'content-type': 'text/plain' };

describe('an unknown route', () => {
  test.each([
    '/nowhere',
    '/application',
    '/Applications',
    `${unknownApplication}/nowhere`,
    `${unknownApplication}/chats/1/nowhere`,
    `${unknownApplication}/chats/1/messages/1/nowhere`,
    '/health/check',
    '/openapi',
  ])('an unknown route is route_not_found: %s', async (path) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
      expect(await api.call(method, path)).toBeProblem(404, 'route_not_found');
  });
});

test('a method that a route does not have is 405, and Allow names its methods', async () => {
  const { body: document } = await api.get<OpenApi>('/openapi.json');
  for (const [template, operations] of Object.entries(document.paths)) {
    const path = template.replace('{token}', 'A'.repeat(22)).replace(/\{\w+\}/g, '1');
    const known = Object.keys(operations).map((method) => method.toUpperCase());
    if (known.includes('GET')) known.push('HEAD');
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((each) => !known.includes(each))) {
      const answer = await api.call(method, path);
      expect(answer, `${method} ${template}`).toBeProblem(405, 'method_not_allowed');
      const allowed = (answer.headers.get('allow') ?? '').split(/, */).filter((each) => each !== 'OPTIONS');
      expect(allowed.sort(), template).toEqual(known.sort());
    }
  }
});

describe('the order of checks', () => {
  test('the route is checked before the method', async () => {
    expect(await api.call('DELETE', '/nowhere', { body: '{', headers: text })).toBeProblem(404, 'route_not_found');
  });

  test('the method is checked before content type, size, JSON, numbers and existence', async () => {
    const notAllowed = [405, 'method_not_allowed'] as const;
    expect(await api.call('PUT', '/applications', { body: '{', headers: text })).toBeProblem(...notAllowed);
    expect(await api.call('PATCH', '/applications', { body: 'x'.repeat(tooLarge) })).toBeProblem(...notAllowed);
    expect(await api.delete(`${unknownApplication}/chats`)).toBeProblem(...notAllowed);
    expect(await api.patch(`${unknownApplication}/chats/zero/messages`, '{')).toBeProblem(...notAllowed);
    expect(await api.post(`${unknownApplication}/chats/zero/messages/zero`, '{')).toBeProblem(...notAllowed);
    expect(await api.get(`${unknownApplication}/chats/zero/messages/batch`)).toBeProblem(...notAllowed);
    expect(await api.post(`${unknownApplication}/chats/zero/messages/search`)).toBeProblem(...notAllowed);
  });

  test('the content type is checked before the size', async () => {
    const answer = await api.post(`${unknownApplication}/chats`, 'x'.repeat(tooLarge), text);
    expect(answer).toBeProblem(415, 'unsupported_media_type');
  });

  test('the size is checked before the JSON', async () => {
    expect(await api.post(`${unknownApplication}/chats`, 'x'.repeat(tooLarge))).toBeProblem(413, 'payload_too_large');
  });

  test('the JSON is checked before numbers, keys and members', async () => {
    const answer = await api.post(`${unknownApplication}/chats/zero/messages`, '{"body":""', { 'idempotency-key': '' });
    expect(answer).toBeProblem(400, 'malformed_json');
  });

  test('the members are checked before existence', async () => {
    const invalid = [422, 'validation_failed'] as const;
    expect(await api.post(`${unknownApplication}/chats`, { name: '' })).toBeProblem(...invalid, '/name');
    expect(await api.patch(`${unknownApplication}/chats/1/messages/1`, {})).toBeProblem(...invalid, '');
    expect(await api.delete(`${unknownApplication}/chats/0`)).toBeProblem(...invalid, 'chat_number');
    expect(await api.get(`${unknownApplication}/chats?limit=0`)).toBeProblem(...invalid, 'limit');
    expect(await api.get(`${unknownApplication}/chats/1/messages?cursor=x`)).toBeProblem(...invalid, 'cursor');
    expect(await api.get(`${unknownApplication}/search`)).toBeProblem(...invalid, 'q');
  });

  test('existence is checked from the application down', async () => {
    const application = await api.newApplication();
    const chat = await api.newChat(application);
    const edit = { body: 'x' };
    expect(await api.patch(`${unknownApplication}/chats/9/messages/9`, edit)).toBeProblem(404, 'application_not_found');
    expect(await api.patch(`${application}/chats/9/messages/9`, edit)).toBeProblem(404, 'chat_not_found');
    expect(await api.patch(`${chat}/messages/9`, edit)).toBeProblem(404, 'message_not_found');
  });

  test('all faults of a request are named at once', async () => {
    const answer = await api.post(
      `${unknownApplication}/chats/zero/messages/batch`,
      { messages: [{ body: '' }, {}] },
      { 'idempotency-key': '' },
    );
    expect(answer).toBeProblem(
      422,
      'validation_failed',
      'Idempotency-Key',
      'chat_number',
      '/messages/0/body',
      '/messages/1/body',
    );
  });
});

describe('a body', () => {
  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'Application/JSON',
    'application/merge-patch+json',
    'application/json; profile="x"',
  ])('a body may be %s', async (type) => {
    const application = await api.newApplication();
    const answer = await api.patch(application, { name: 'x' }, { 'content-type': type });
    expect(answer.status).toBe(200);
  });

  test.each([
    'text/plain',
    'text/json',
    'application/jsonp',
    'application/problem+json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/json; charset=iso-8859-1',
    'application/json; charset=utf-16',
    'json',
    '*/*',
    'application/',
    ';',
  ])('a body may not be %s', async (type) => {
    const application = await api.newApplication();
    const answer = await api.patch(application, { name: 'x' }, { 'content-type': type });
    expect(answer).toBeProblem(415, 'unsupported_media_type');
    const created = await api.post(`${application}/chats`, { name: 'x' }, { 'content-type': type });
    expect(created).toBeProblem(415, 'unsupported_media_type');
  });

  test('a body needs a content type', async () => {
    const application = await api.newApplication();
    // fetch sets no content type for a body of bytes.
    const body = new TextEncoder().encode('{"name":"x"}');
    const { status } = await fetch(`${api.base}${application}`, { method: 'PATCH', body });
    expect(status).toBe(415);
  });

  test('an empty body needs no content type', async () => {
    const application = await api.newApplication();
    expect((await api.post(`${application}/chats`)).status).toBe(201);
    expect((await api.post(`${application}/chats`, '', text)).status).toBe(201);
    expect(await api.patch(application)).toBeProblem(422, 'validation_failed', '/name');
  });

  test.each([
    '{',
    '{"name":"x"',
    '{"name":"x"}}',
    "{'name':'x'}",
    '{name:"x"}',
    '{"name":"x",}',
    'NaN',
    'undefined',
    '"',
    '{"name":"\u0001"}',
    '{"a":"\\x"}',
    '\ufeff{"name":"x"}',
  ])('a body is malformed_json when it is %j', async (json) => {
    const application = await api.newApplication();
    expect(await api.post(`${application}/chats`, json)).toBeProblem(400, 'malformed_json');
    expect(await api.patch(application, json)).toBeProblem(400, 'malformed_json');
  });

  test.each(['[]', '[{"name":"x"}]', '"x"', '7', 'null', 'true'])('a body must be an object, not %s', async (json) => {
    const application = await api.newApplication();
    expect(await api.patch(application, json)).toBeProblem(422, 'validation_failed', '');
    // Creating a chat needs no body, and `null` counts as none.
    if (json === 'null') expect((await api.post(`${application}/chats`, json)).status).toBe(201);
    else expect(await api.post(`${application}/chats`, json)).toBeProblem(422, 'validation_failed', '');
  });

  test('a body is ignored on a route that takes none', async () => {
    const application = await api.newApplication();
    const chat = await api.newChat(application);
    expect((await api.call('DELETE', chat, { body: '{', headers: text })).status).toBe(204);
  });
});
