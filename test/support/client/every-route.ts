import { expect } from 'vitest';
import { methodsOf, type Route, routes } from '../../../lib/api/routes.ts';
import type { Planted } from '../texts/planted.ts';
import type { Application, Client, MessagePage } from './client.ts';

/** Returns a text with this number of code points. */
const long = (text: string, size: number): string => text.repeat(Math.ceil(size / text.length)).slice(0, size);

/**
 * Uses every route as a client would, and misuses each in every way that the contract knows, with planted texts
 * wherever a client may give one.
 *
 * @returns the path of the application, whose chat 1 has messages
 */
export async function useEveryRoute(client: Client, planted: Planted): Promise<string> {
  const text = (what: string) => planted.text(what);
  const key = () => ({ 'Idempotency-Key': planted.word('key') });
  const created = await client.post<Application>('/applications', { name: text('application name') }, key());
  expect(created.status).toBe(201);
  planted.add('token', created.body.token);
  const application = `/applications/${created.body.token}`;
  const chat = `${application}/chats/1`;
  const repeated = key();
  const name = text('chat name');
  const body = text('body');
  for (const [method, path, given, headers] of [
    ['POST', `${application}/chats`, { name }, repeated],
    ['POST', `${application}/chats`, { name }, repeated],
    ['POST', `${application}/chats`, { name: text('other name') }, repeated],
    ['POST', `${chat}/messages`, { body }, key()],
    ['POST', `${chat}/messages/batch`, { messages: [{ body: text('body') }, { body: text('body') }] }, key()],
    ['PATCH', application, { name: text('new name') }],
    ['PUT', chat, { name: text('new name') }],
    ['PATCH', `${chat}/messages/2`, { body: text('new body') }],
    ['DELETE', `${chat}/messages/3`],
  ] as const)
    await client.call(method, path, { body: given, ...(headers && { headers }) });
  const asked = { sender: text('sender'), chats: [1], can: ['read', 'create', 'edit'] };
  const { access_token } = (await client.post<{ access_token: string }>(`${application}/access-tokens`, asked)).body;
  planted.add('access token', access_token);
  await useSelf(client, planted, access_token);
  const settled = { timeout: 60_000, interval: 100 };
  await expect.poll(async () => (await client.get(`${chat}/messages/1`)).status, settled).toBe(200);

  const q = encodeURIComponent(body.split(' ')[0] as string);
  for (const path of ['/applications', `${application}/chats`, `${chat}/messages`]) {
    const { next } = (await client.get<MessagePage>(`${path}?limit=1`)).body;
    if (!next) continue;
    planted.add('cursor', next);
    for (const list of [path, `${chat}/messages`, `${application}/search`])
      await client.get(`${list}?limit=1&q=${q}&cursor=${next}`);
  }
  for (const path of [`${chat}/messages/search`, `${application}/search`]) await client.get(`${path}?q=${q}`);
  for (const { path, method, alias } of Object.values<Route>(routes))
    for (const one of methodsOf({ method, alias } as Route))
      await misuse(client, planted, one, path, created.body.token);
  return application;
}

/** Uses and misuses an access token: in the header, in the path, and in a query, where it does not belong. */
async function useSelf(client: Client, planted: Planted, accessToken: string): Promise<void> {
  const chat = '/applications/self/chats/1';
  const held = { authorization: `Bearer ${accessToken}` };
  const created = await client.post(`${chat}/messages`, { body: planted.text('body') }, held);
  expect(created.status).toBe(201);
  await client.get(`${chat}/messages?limit=1`, held);
  await client.get('/applications/self/chats/2', held);
  await client.delete('/applications/self', held);
  await client.get(`${chat}?access_token=${accessToken}`);
  await client.get(`/applications/${accessToken}/chats/1`, held);
  for (const query of [
    `access_token=${accessToken}`,
    `chat=1&access_token=${accessToken}`,
    `access_token=${accessToken}x`,
  ])
    await client.get(`/applications/self/feed?${query}`);
  await client.head(`/applications/self/feed?chat=1&access_token=${accessToken}`, { accept: 'text/event-stream' });
  for (const authorization of [`Bearer ${planted.word('bearer')}`, `Basic ${planted.word('basic')}`]) {
    await client.get(chat, { authorization });
    await client.post(`${chat}/messages`, planted.word('no JSON'), { authorization });
  }
}

async function misuse(client: Client, planted: Planted, method: string, path: string, token: string): Promise<void> {
  const word = (what: string) => planted.word(what);
  const at = (of: string, number: string) => path.replace('{token}', of).replace(/\{\w+\}/g, number);
  const sends = ['POST', 'PATCH', 'PUT'].includes(method);
  const bad = async (where: string, options: { body?: unknown; headers?: Record<string, string> } = {}) =>
    expect((await client.call(method, where, options)).status, `${method} ${path}`).toBeLessThan(500);
  await bad(at(word('unknown token'), '1'), sends ? { body: { name: 'x', body: 'x', messages: [{ body: 'x' }] } } : {});
  // Without a number in its path, this would delete the application.
  if (method === 'DELETE' && !path.includes('number}')) return;
  await bad(at(token, word('number')), sends ? { body: { name: word('name'), body: word('body') } } : {});
  if (method === 'DELETE') return;
  if (!sends) {
    const query = ['q', 'cursor', 'limit', 'order', 'after'].map((name) => `${name}=${word(name)}`);
    await bad(`${at(token, '1')}?${query.join('&')}`, { headers: { 'If-None-Match': word('etag') } });
    await bad(`${at(token, '1')}?${word('parameter')}=${word('value')}&q=%00${word('q')}`);
    return;
  }
  const headers = { 'Idempotency-Key': `${word('key')}é`, authorization: word('authorization') };
  for (const body of [
    `{"name": "${word('cut name')}`,
    word('no JSON'),
    { name: [word('name')], body: { [word('member')]: word('value') }, messages: [word('message')] },
    { name: `\0${word('name')}`, body: long(word('long body'), 10_001), messages: [{ body: `\0${word('body')}` }] },
    long(word('much'), 1_048_577),
  ])
    await bad(at(token, '1'), { body, headers });
  await bad(at(token, '1'), { body: word('text'), headers: { 'content-type': `text/${word('type')}` } });
  await bad(`${at(token, '1')}/${word('path')}/nowhere`, { body: {} });
}
