import { beforeEach, expect, test } from 'vitest';
import { logEvents } from '../../functions/runtime/observe/log.ts';
import { Client } from '../support/client/client.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { type Host, startHost } from '../support/servers/host.ts';
import { parseMetrics } from '../support/servers/metrics-text.ts';

const adminKey = 'open sesame';
const settled = { timeout: 30_000, interval: 100 };
let host: Host;

interface Line {
  level: string;
  message: string;
  [member: string]: unknown;
}

/** Returns the host's log events of these messages. */
const logged = (...messages: string[]): Line[] =>
  host
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): Line => JSON.parse(line))
    .filter(({ message }) => messages.includes(message));

const started = async (...flags: string[]): Promise<void> => {
  host = await hostOf(startHost(dataFolder(), ...flags));
};

/** Returns the status and the problem's code of a request, or the text of another body. */
async function outcome(path: string, init: RequestInit): Promise<[number, string]> {
  const response = await fetch(`${host.url}${path}`, init);
  const text = await response.text();
  const isProblem = response.headers.get('content-type') === 'application/problem+json';
  return [response.status, isProblem ? JSON.parse(text).code : text];
}

beforeEach(async ({ task }) => {
  if (task.name.includes('open registry')) return;
  await started('--admin-key', adminKey, ...(task.name.includes('at level info') ? [] : ['--log-level', 'debug']));
});

test('each response is one line with its request id, route, status and duration, and no line has a secret', async () => {
  const client = await Client.connect(host.url, adminKey);
  const application = await client.newApplication();
  const token = application.split('/')[2] as string;
  const chat = await client.newChat(application);
  const { access_token } = (
    await client.post<{ access_token: string }>(`${application}/access-tokens`, { can: ['read'] })
  ).body;
  const anonymous = await Client.connect(host.url);
  const bearer = { authorization: `Bearer ${access_token}` };
  const secrets = [token, access_token, adminKey, 'wrong-key', 'made-up-token', 'secret-search'];
  const answers = [
    await client.get(application),
    await client.get(`${chat}/messages`),
    await client.get(`${chat}/messages/search?q=secret-search`),
    await anonymous.get('/applications/self', bearer),
    await anonymous.get('/applications/self/chats', { authorization: 'Bearer made-up-token' }),
    await anonymous.get(`/applications/self/feed?access_token=${access_token}`),
    await anonymous.get(`/applications/made-up-token/chats?access_token=${access_token}`),
    await anonymous.get(`/nowhere/${token}?access_token=${access_token}`),
    await fetch(`${host.url}/applications/%E0%A4%A/${token}`),
    await anonymous.delete('/applications'),
    await anonymous.post('/applications', { name: 'x' }, { 'x-api-key': 'wrong-key' }),
    await anonymous.call('OPTIONS', `${application}/chats`),
    await fetch(`${host.url}/metrics`, { headers: { authorization: 'Bearer wrong-key' } }),
    await anonymous.get('/health'),
  ];
  const stream = await fetch(`${host.url}/applications/self/feed?application=&access_token=${access_token}`, {
    headers: { accept: 'text/event-stream' },
  });
  const ids = [...answers, stream].map(({ headers }) => headers.get('x-request-id'));
  const linesOf = (id: string | null) => logged(logEvents.responded).filter(({ request_id }) => request_id === id);
  await expect.poll(() => ids.map((id) => linesOf(id).length), settled).toEqual(ids.map(() => 1));
  await stream.body?.cancel();
  for (const [i, id] of ids.entries()) {
    const [line] = linesOf(id);
    expect(line).toMatchObject({ level: 'DEBUG', status: (answers[i] ?? stream).status });
    expect(line?.duration_ms).toBeTypeOf('number');
  }
  expect(ids.map((id) => linesOf(id)[0]?.route)).toEqual([
    'GET /applications/{token}',
    'GET /applications/{token}/chats/{chat_number}/messages',
    'GET /applications/{token}/chats/{chat_number}/messages/search',
    'GET /applications/{token}',
    'GET /applications/{token}/chats',
    'GET /applications/{token}/feed',
    'GET /applications/{token}/chats',
    'GET *',
    'GET *',
    'DELETE *',
    'POST /applications',
    'OPTIONS *',
    'GET /metrics',
    'GET /health',
    'GET /applications/{token}/feed',
  ]);
  for (const secret of secrets) expect(host.stdout() + host.stderr()).not.toContain(secret);
});

test('at level info, only the first request is announced', async () => {
  await fetch(`${host.url}/health`);
  await fetch(`${host.url}/metrics`);
  const client = await Client.connect(host.url, adminKey);
  for (let i = 0; i < 3; i++) await client.newApplication();
  await expect.poll(() => logged(logEvents.firstRequest), settled).toMatchObject([{ level: 'INFO' }]);
  expect(logged(logEvents.responded)).toEqual([]);
});

test('the metrics are shown to the holder of the admin key only, and count what happened', async () => {
  const client = await Client.connect(host.url, adminKey);
  const chat = await client.newChat();
  await client.send(chat, 'one', 'two');
  const token = chat.split('/')[2] as string;
  for (const authorization of [undefined, '', adminKey, 'Bearer ', 'Bearer wrong', `Bearer ${token}`, 'Basic x']) {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    expect(await outcome('/metrics', { headers }), authorization).toEqual([401, 'admin_key_required']);
  }
  const headers = { authorization: `Bearer ${adminKey}` };
  expect(await outcome('/metrics', { headers, method: 'HEAD' })).toEqual([200, '']);
  expect(await outcome('/metrics', { headers, method: 'POST', body: 'x' })).toEqual([405, 'method_not_allowed']);
  expect(await outcome('/metrics', { method: 'OPTIONS' })).toEqual([204, '']);
  expect(await outcome('/metrics/', { headers })).toEqual([404, 'route_not_found']);

  const response = await fetch(`${host.url}/metrics`, { headers });
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(response.headers.get('cache-control')).toBe('private, no-cache');
  const text = await response.text();
  expect(text).not.toContain(token);
  const values = parseMetrics(text);
  expect(Object.fromEntries(values)).toMatchObject({
    'chat_system_requests_total{route="createApplication",status="2xx"}': 1,
    'chat_system_requests_total{route="createMessages",status="2xx"}': 1,
    'chat_system_requests_total{route="metrics",status="4xx"}': 8,
    'chat_system_dead_letters{queue="store"}': 0,
    chat_system_followers: 0,
  });
  expect(values.get('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
});

test('paths that clients invent add nothing to the metrics', async () => {
  for (let i = 0; i < 50; i++) await fetch(`${host.url}/invented/${i}`);
  const response = await fetch(`${host.url}/metrics`, { headers: { authorization: `Bearer ${adminKey}` } });
  const series = [...parseMetrics(await response.text()).keys()].filter((name) => name.includes('requests_total'));
  expect(series).toEqual(['chat_system_requests_total{route="other",status="4xx"}']);
});

test('a host without an admin key has no metrics, whatever the request contains', async () => {
  await started();
  for (const authorization of ['Bearer undefined', 'Bearer x', ''])
    expect(await outcome('/metrics', { headers: { authorization } })).toEqual([404, 'route_not_found']);
});
