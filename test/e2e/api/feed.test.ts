import { beforeAll, expect, test } from 'vitest';
import { deployment } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';

// What both engines have of the feed. test/e2e/feed.test.ts has the streams of the embedded engine.

interface Feed {
  transports: { type: string; url: string }[];
  heartbeat_seconds: number;
}

const api = await deployment();
const self = '/applications/self/feed';
const eventStream = { accept: 'text/event-stream' };
let application: string;
let token: string;
let accessToken: string;

beforeAll(async () => {
  application = await api.newApplication();
  token = application.split('/')[2] as string;
  await api.newChat(application);
  accessToken = (await api.post<{ access_token: string }>(`${application}/access-tokens`, { chats: [1] })).body
    .access_token;
});

test('the feed lists its transports, whose URLs stay below the API and contain no token', async () => {
  for (const path of [
    `${application}/feed`,
    `${application}/feed?chat=1&application=`,
    `${self}?access_token=${accessToken}`,
  ]) {
    const { status, body } = await api.get<Feed>(path);
    expect([status, body.heartbeat_seconds]).toEqual([200, 30]);
    for (const { type, url } of body.transports)
      if (type === 'sse') {
        const [pathname = ''] = path.split('?');
        expect(api.resolve(pathname, url)).toBe(pathname);
      }
  }
});

test('a client that accepts neither JSON nor a transport gets 406', async () => {
  const { transports } = (await api.get<Feed>(`${application}/feed`)).body;
  const accepted = [
    'text/html',
    'application/x-ndjson',
    ...(transports.some(({ type }) => type === 'sse') ? [] : ['text/event-stream']),
  ];
  for (const accept of accepted)
    expect(await api.get(`${application}/feed?chat=1`, { accept })).toBeProblem(406, 'not_acceptable');
});

test('only the route of the feed accepts a token in the query, and it must be an access token', async () => {
  expect(await api.get(`/applications/self?access_token=${accessToken}`)).toBeProblem(401, 'access_token_required');
  expect(await api.get(`${self}?access_token=${token}`)).toBeProblem(401, 'access_token_invalid');
  expect(await api.get(`${self}?access_token=`)).toBeProblem(401, 'access_token_invalid');
  expect(await api.get(self)).toBeProblem(401, 'access_token_required');
  const wrong = { authorization: 'Bearer wrong' };
  expect(await api.get(`${self}?access_token=${accessToken}`, wrong)).toBeProblem(401, 'access_token_invalid');
  const right = { authorization: `Bearer ${accessToken}` };
  expect(await api.get(`${self}?access_token=wrong`, right)).toMatchObject({ status: 200 });
});

test('a feed with an invalid query, or of an unknown application, is refused', async () => {
  for (const query of [
    'chat=',
    'chat=0',
    'chat=01',
    'chat=x',
    'chat=1:',
    'chat=1:-1',
    'chat=1:2:3',
    'chat=1&chat=x',
    'application=x',
    'application=-1',
  ])
    expect(await api.get(`${application}/feed?${query}`), query).toBeProblem(422, 'validation_failed');
  const many = Array.from({ length: 101 }, () => 'chat=1').join('&');
  expect(await api.get(`${application}/feed?${many}`)).toBeProblem(422, 'validation_failed');
  expect(await api.get('/applications/unknown/feed')).toBeProblem(404, 'application_not_found');
});

test('a stream is refused like any request', async () => {
  const { transports } = (await api.get<Feed>(`${application}/feed`)).body;
  if (!transports.some(({ type }) => type === 'sse')) return;
  const held = { authorization: `Bearer ${accessToken}`, ...eventStream };
  const refused = async (query: string, status: number, code: string, headers: Record<string, string> = eventStream) =>
    expect(
      await api.get(`${'authorization' in headers ? self : `${application}/feed`}?${query}`, headers),
      query,
    ).toBeProblem(status, code);
  await refused('', 422, 'validation_failed');
  await refused('chat=1', 422, 'validation_failed', { ...eventStream, 'last-event-id': 'nonsense' });
  await refused('chat=9', 404, 'chat_not_found');
  await refused('chat=1&chat=9', 404, 'chat_not_found');
  await refused('chat=99999999999999999999', 404, 'chat_not_found');
  await refused('chat=2', 404, 'chat_not_found', held);
  await refused('chat=1&application=', 403, 'not_allowed', held);
  const creating = (await api.post<{ access_token: string }>(`${application}/access-tokens`, { can: ['create'] })).body;
  await refused('chat=9', 403, 'not_allowed', { ...eventStream, authorization: `Bearer ${creating.access_token}` });
});
