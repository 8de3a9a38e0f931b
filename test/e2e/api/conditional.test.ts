import { beforeAll, describe, expect, test, vi } from 'vitest';
import { counted, deployment, settled } from '../../support/servers/deployment.ts';

const api = await deployment();

let application: string;
let chat: string;
let message: string;
beforeAll(async () => {
  application = await api.newApplication('Tagged');
  chat = await api.newChat(application);
  message = `${chat}/messages/1`;
  await api.send(chat, 'Tagged as well');
  // Waits for the roll-up, because the counts change once and the responses stay the same from then on.
  await vi.waitFor(async () => {
    expect((await api.get(application)).body).toMatchObject({ chats_count: 1 });
    expect((await api.get(chat)).body).toMatchObject({ messages_count: 1 });
    expect((await api.get(message)).status).toBe(200);
  }, counted);
});
const resources = () =>
  [
    ['application', application],
    ['chat', chat],
    ['message', message],
  ] as const;
const tagOf = async (path: string) => (await api.get(path)).headers.get('etag') ?? '';

describe('a weak ETag', () => {
  test('every single resource has an ETag, which stays while the resource does not change', async () => {
    for (const [what, path] of resources()) {
      expect(await tagOf(path), what).toMatch(/^W\/"[!#-~]+"$/);
      expect(await tagOf(path), what).toBe(await tagOf(path));
    }
    expect(new Set([await tagOf(application), await tagOf(chat), await tagOf(message)]).size).toBe(3);
  });

  test('a known ETag in If-None-Match saves the transfer', async () => {
    for (const [what, path] of resources()) {
      const tag = await tagOf(path);
      for (const match of [tag, `"other", ${tag}`, `${tag},W/"other"`, '*', tag.slice('W/'.length)]) {
        const { status, body, headers } = await api.get(path, { 'if-none-match': match });
        expect([status, body, headers.get('etag')], `${what} ${match}`).toEqual([304, '', tag]);
      }
      for (const match of ['W/"other"', '"other", "another"', 'W/""', 'nonsense'])
        expect((await api.get(path, { 'if-none-match': match })).status, `${what} ${match}`).toBe(200);
    }
  });

  test('an ETag changes with the response', async () => {
    const path = await api.newApplication('Before');
    const tag = await tagOf(path);
    await api.patch(path, { name: 'After' });
    await expect
      .poll(async () => (await api.get(path, { 'if-none-match': tag })).body, settled)
      .toMatchObject({ name: 'After' });
    // Until the edit is stored, a read may show the state before it once more.
    await expect.poll(() => tagOf(path), settled).not.toBe(tag);
  });

  test('a known ETag of something deleted gets a 404 and no 304', async () => {
    const path = await api.newApplication();
    const tag = await tagOf(path);
    await api.delete(path);
    // Until the deletion is stored, a read may show the state before it once more.
    for (const tags of [tag, '*'])
      await expect
        .poll(async () => (await api.get(path, { 'if-none-match': tags })).body, settled)
        .toMatchObject({ code: 'application_not_found' });
  });
});

describe('HEAD is GET without the body', () => {
  const sameHeaders = (headers: Headers) =>
    ['content-type', 'etag', 'link', 'retry-after', 'content-length'].map((name) => [name, headers.get(name)]);

  test('HEAD returns the headers of GET on every route, for problems too', async () => {
    await expect
      .poll(async () => (await api.get(`${chat}/messages/search?q=tag`)).body, settled)
      .toMatchObject({ total: 1 });
    const paths = [
      '/health',
      '/docs',
      '/openapi.json',
      '/applications?limit=1',
      application,
      `${application}/chats`,
      `${application}/search?q=tag`,
      chat,
      `${chat}/messages?limit=1`,
      `${chat}/messages/search?q=tag`,
      message,
      `${chat}/messages/99`,
      `${chat}/messages/zero`,
      `${chat}/messages?limit=0`,
      '/nowhere',
    ];
    for (const path of paths) {
      const [got, head] = [await api.get(path), await api.head(path)];
      expect([head.status, head.body], path).toEqual([got.status, '']);
      // Headers that identify the request differ; all others must be equal.
      expect(sameHeaders(head.headers), path).toEqual(sameHeaders(got.headers));
    }
  });

  test('HEAD returns the headers of GET with If-None-Match too', async () => {
    expect((await api.head(message, { 'if-none-match': await tagOf(message) })).status).toBe(304);
  });
});
