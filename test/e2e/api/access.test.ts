import { beforeAll, describe, expect, test, vi } from 'vitest';
import type * as z from 'zod';
import type { AccessToken } from '../../../lib/api/responses.ts';
import { limits } from '../../../lib/limits.ts';
import { RawConnection } from '../../support/client/raw-http.ts';
import { allInstancesKnow, deployment, onStack, settled } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';

// Access tokens over HTTP, on both engines. test/contract/suites/access.ts tests who may do what.

const api = await deployment();
const tooLarge = 1_048_577;
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const self = '/applications/self';

let application: string;
let token: string;
const holderOf = async (request: object) => {
  const { status, body } = await api.post<z.output<typeof AccessToken>>(`${application}/access-tokens`, request);
  expect(status).toBe(201);
  return bearer(body.access_token);
};

beforeAll(async () => {
  application = await api.newApplication('desk');
  token = application.split('/')[2] as string;
  for (const name of ['one', 'two']) await api.post(`${application}/chats`, { name });
  await api.send(`${application}/chats/1`, 'hello');
  await vi.waitFor(async () => {
    expect((await api.get(`${application}/chats/1/messages/1`)).status).toBe(200);
  }, settled);
});

test('a browser-safe token reads its chat and writes to it as its sender, and no URL has a secret', async () => {
  const held = await holderOf({ sender: 'ada', chats: [1], can: ['read', 'create'], expires_in: 600 });
  const created = await api.post<{ number: number }>(`${self}/chats/1/messages`, { body: 'hi', sender: 'eve' }, held);
  expect(created).toMatchObject({ status: 201, body: { sender: 'ada', body: 'hi' } });
  const location = api.resolve(`${self}/chats/1/messages`, created.headers.get('location'));
  expect(location).toBe(`${self}/chats/1/messages/${created.body.number}`);
  await expect.poll(async () => (await api.get(location, held)).status, settled).toBe(200);
  const page = await api.get(`${self}/chats/1/messages?limit=1`, held);
  const next = api.resolve(`${self}/chats/1/messages`, /<(.*)>/.exec(page.headers.get('link') ?? '')?.[1]);
  expect(next).toMatch(/^\/applications\/self\/chats\/1\/messages\?/);
  expect(await api.get(next, held)).toMatchObject({ status: 200, body: { data: [{ sender: 'ada' }] } });
  expect((await api.get(self, held)).body).toMatchObject({ name: 'desk' });
});

test('the name of the scheme is case-insensitive, and only a bearer token is evaluated', async () => {
  const { authorization } = await holderOf({});
  for (const scheme of ['bearer', 'BEARER', 'Bearer '])
    expect((await api.get(self, { authorization: authorization.replace('Bearer', scheme) })).status).toBe(200);
  for (const wrong of [
    '',
    'Basic YTpi',
    'Bearer',
    'Bearer  ',
    authorization.slice(7),
    `Digest ${authorization.slice(7)}`,
  ]) {
    const refused = await api.get(self, wrong ? { authorization: wrong } : {});
    expect(refused).toBeProblem(401, 'access_token_required');
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
  }
  const invalid = await api.get(self, bearer('nonsense'));
  expect(invalid).toBeProblem(401, 'access_token_invalid');
  expect(invalid.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
  expect(await api.get(`${self}?access_token=${authorization.slice(7)}`)).toBeProblem(401, 'access_token_required');
});

test('an access token in the path names no application, and a bearer token is ignored when the path has a token', async () => {
  const { authorization } = await holderOf({ can: ['read', 'create', 'edit'] });
  const inPath = `/applications/${authorization.slice(7)}`;
  for (const headers of [{}, { authorization }, bearer(token)]) {
    expect(await api.get(inPath, headers)).toBeProblem(404, 'application_not_found');
    expect(await api.post(`${inPath}/chats/1/messages`, { body: 'x' }, headers)).toBeProblem(
      404,
      'application_not_found',
    );
  }
  for (const ignored of ['Bearer nonsense', 'Basic YTpi', authorization])
    expect((await api.get(`${application}/chats/1`, { authorization: ignored })).status).toBe(200);
});

test('a request for an access token is validated, and no cache may store the response', async () => {
  const path = `${application}/access-tokens`;
  for (const [body, pointer] of [
    [{ sender: '' }, '/sender'],
    [{ sender: 7 }, '/sender'],
    [{ chats: [] }, '/chats'],
    [{ chats: Array.from({ length: 101 }, (_, i) => i + 1) }, '/chats'],
    [{ chats: 'all' }, '/chats'],
    [{ chats: [1, 0] }, '/chats/1'],
    [{ chats: [4_294_967_296] }, '/chats/0'],
    [{ chats: ['1'] }, '/chats/0'],
    [{ can: [] }, '/can'],
    [{ can: ['read', 'read'] }, '/can'],
    [{ can: ['admin'] }, '/can/0'],
    [{ can: null }, '/can'],
    [{ expires_in: 59 }, '/expires_in'],
    [{ expires_in: 86_401 }, '/expires_in'],
    [{ expires_in: 60.5 }, '/expires_in'],
    [{ expires_in: '60' }, '/expires_in'],
  ] as const) {
    const refused = await api.post<{ errors: { pointer: string }[] }>(path, body);
    expect(refused, JSON.stringify(body)).toBeProblem(422, 'validation_failed');
    expect(refused.body.errors.map((each) => each.pointer)).toEqual([pointer]);
  }
  const created = await api.post(path, { sender: null, chats: null, unknown: 1 }, { 'idempotency-key': '' });
  expect(created).toMatchObject({ status: 201, body: { sender: null, chats: null, can: ['read'] } });
  expect(created.headers.get('cache-control')).toBe('no-store');
  expect((await api.post(path)).status).toBe(201);
});

describe('the order of checks', () => {
  const messages = `${self}/chats/1/messages`;
  const big = 'x'.repeat(tooLarge);
  type Given = [what: string, () => Promise<unknown>, status: number, code: string];
  let [reader, creator, editor]: Record<string, string>[] = [];
  beforeAll(async () => {
    reader = await holderOf({ chats: [1] });
    creator = await holderOf({ chats: [1], can: ['create'] });
    editor = await holderOf({ sender: 'ada', chats: [1], can: ['edit'] });
  });

  test.each<Given>([
    ['the route before the access token', () => api.get(`${self}/nowhere`), 404, 'route_not_found'],
    ['the route before the access token', () => api.get(`${self}/nowhere`, bearer('x')), 404, 'route_not_found'],
    ['the method before the access token', () => api.delete(messages), 405, 'method_not_allowed'],
    ['the method before the access token', () => api.delete(messages, bearer('x')), 405, 'method_not_allowed'],
    ['the access token before the content type', () => api.post(messages, 'a=b', form), 401, 'access_token_required'],
    [
      'the access token before the content type',
      () => api.post(messages, 'a=b', { ...form, ...bearer('x') }),
      401,
      'access_token_invalid',
    ],
    [
      'the access token before the coding',
      () => api.post(messages, {}, { 'content-encoding': 'gzip' }),
      401,
      'access_token_required',
    ],
    ['the access token before the size', () => api.post(messages, big), 401, 'access_token_required'],
    ['the access token before the JSON', () => api.post(messages, '{', bearer('x')), 401, 'access_token_invalid'],
    ['the access token before the validation', () => api.get(`${self}/chats/x`), 401, 'access_token_required'],
    [
      'the content type before the permission',
      () => api.post(messages, 'a=b', { ...form, ...reader }),
      415,
      'unsupported_media_type',
    ],
    ['the size before the permission', () => api.post(messages, big, reader), 413, 'payload_too_large'],
    ['the JSON before the permission', () => api.post(messages, '{', reader), 400, 'malformed_json'],
    ['the validation before the permission', () => api.post(messages, { body: '' }, reader), 422, 'validation_failed'],
    ['the validation before the permission', () => api.get(`${self}/chats/x`, creator), 422, 'validation_failed'],
    ['the permission', () => api.post(messages, { body: 'x' }, reader), 403, 'not_allowed'],
    [
      'the permission before the existence',
      () => api.post(`${self}/chats/2/messages`, { body: 'x' }, reader),
      403,
      'not_allowed',
    ],
    ['the permission before the existence', () => api.delete(`${self}/chats/99`, editor), 403, 'not_allowed'],
    [
      'the existence of the chat',
      () => api.post(`${self}/chats/2/messages`, { body: 'x' }, creator),
      404,
      'chat_not_found',
    ],
    [
      'the existence of the message before its sender',
      () => api.delete(`${messages}/99`, editor),
      404,
      'message_not_found',
    ],
    ['the sender of the message', () => api.delete(`${messages}/1`, editor), 403, 'not_allowed'],
  ])('the API checks in the documented order: %s', async (_what, request, status, code) => {
    expect(await request()).toBeProblem(status, code);
  });

  if (!onStack) {
    // Only on the embedded engine: API Gateway and its emulator read the whole body before they call the function.
    const post = `POST /v1${messages} HTTP/1.1`;
    const json = 'Content-Type: application/json';
    const long = 'Content-Length: 900000';
    test.each<[what: string, head: string[], status: number, code: string]>([
      ['the route', [`POST /v1${self}/nowhere HTTP/1.1`, json, long], 404, 'route_not_found'],
      ['the method', [`PUT /v1${messages} HTTP/1.1`, json, long], 405, 'method_not_allowed'],
      ['a missing access token', [post, json, long], 401, 'access_token_required'],
      ['a missing access token', [post, json, 'Transfer-Encoding: chunked'], 401, 'access_token_required'],
      ['a missing access token', [post, json, long, 'Expect: 100-continue'], 401, 'access_token_required'],
      ['a forged access token', [post, json, long, 'Authorization: Bearer forged'], 401, 'access_token_invalid'],
      ['a forged access token', [post, long, 'Authorization: Bearer forged'], 401, 'access_token_invalid'],
      ['the content type', [post, 'Authorization: {creator}', long], 415, 'unsupported_media_type'],
      [
        'the coding',
        [post, 'Authorization: {creator}', json, long, 'Content-Encoding: br'],
        415,
        'unsupported_media_type',
      ],
      ['the size', [post, 'Authorization: {creator}', json, `Content-Length: ${tooLarge}`], 413, 'payload_too_large'],
    ])('%s is checked before the body arrives: %j', async (_what, head, status, code) => {
      const connection = await RawConnection.open(api.base);
      const lines = ['Host: localhost', ...head.slice(1)]
        .join('\r\n')
        .replace('{creator}', creator?.authorization ?? '');
      const begun =
        { 'Expect: 100-continue': '', 'Transfer-Encoding: chunked': '1\r\n{\r\n' }[head.at(-1) ?? ''] ?? '{';
      connection.write(`${head[0]}\r\n${lines}\r\n\r\n${begun}`);
      expect(await connection.answer()).toBeProblem(status, code);
      connection.socket.destroy();
    });

    test('a body that arrives after its access token was checked is read to its end', async () => {
      const connection = await RawConnection.open(api.base);
      const body = JSON.stringify({ body: 'x'.repeat(9_000) });
      const head = [post, 'Host: localhost', json, `Content-Length: ${body.length}`];
      connection.write(`${head.join('\r\n')}\r\nAuthorization: ${creator?.authorization}\r\n\r\n{`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      connection.write(body.slice(1));
      expect(await connection.answer()).toMatchObject({ status: 201, body: { sender: null } });
      connection.socket.destroy();
    });
  }

  test('a refusal names what the access token lacks', async () => {
    const detailOf = async (answer: Promise<{ body: unknown }>) => ((await answer).body as { detail: string }).detail;
    expect(await detailOf(api.post(messages, { body: 'x' }, reader))).toContain('"create"');
    expect(await detailOf(api.get(messages, creator))).toContain('"read"');
    expect(await detailOf(api.get(`${self}/search?q=x`, reader))).toContain('chats');
    expect(await detailOf(api.delete(self, reader))).toContain("application's own token");
  });
});

test('after all access tokens are ended, those made before are refused, and those made after are not', async () => {
  const before = await holderOf({});
  expect((await api.get(self, before)).status).toBe(200);
  expect((await api.delete(`${application}/access-tokens`)).status).toBe(204);
  const after = await holderOf({});
  expect((await api.get(self, after)).status).toBe(200);
  // On one machine, the access generation is cached for a second.
  await allInstancesKnow(limits.accessToken.keptMs);
  await expect.poll(async () => (await api.get(self, before)).status, settled).toBe(401);
  expect(await api.get(self, before)).toBeProblem(401, 'access_token_invalid');
  expect((await api.get(self, after)).status).toBe(200);
});
