import { describe, expect, test } from 'vitest';
import { concurrently } from '../../support/basics/concurrently.ts';
import type { Answer, Chat, ChatPage } from '../../support/client/client.ts';
import { timestamp } from '../../support/client/openapi.ts';
import { atOnce, deployment, settled } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';
import { acceptableTexts, refusedTexts } from '../../support/texts/names-and-bodies.ts';

const api = await deployment();

const numbers = async (path: string) => (await api.all<Chat>(path)).map(({ number }) => number);

describe('creating a chat', () => {
  test('chats are numbered from 1 in each application', async () => {
    for (const application of [await api.newApplication(), await api.newApplication()])
      for (const number of [1, 2, 3]) {
        const { status, body, headers } = await api.post<Chat>(`${application}/chats`, { name: `Chat ${number}` });
        expect(status).toBe(201);
        expect(body).toEqual({
          number,
          name: `Chat ${number}`,
          metadata: {},
          messages_count: 0,
          created_at: expect.stringMatching(timestamp),
          updated_at: body.created_at,
        });
        expect(api.resolve(`${application}/chats`, headers.get('location'))).toBe(`${application}/chats/${number}`);
      }
  });

  test.each([
    ['no body', undefined],
    ['an empty body', ''],
    ['an empty object', '{}'],
    ['null as the name', '{"name":null}'],
    ['unknown members', '{"number":7,"title":"x"}'],
  ])('%s creates a chat without a name', async (_what, json) => {
    const application = await api.newApplication();
    const { status, body } = await api.post<Chat>(`${application}/chats`, json);
    expect([status, body.number, body.name]).toEqual([201, 1, null]);
  });

  test('a chat is readable at once', async () => {
    const application = await api.newApplication();
    const { body } = await api.post<Chat>(`${application}/chats`, { name: 'Read me' });
    expect(await api.get(`${application}/chats/1`)).toMatchObject({ status: 200, body });
  });

  test('concurrent chats get exactly the numbers from 1 on', async () => {
    const application = await api.newApplication();
    const created = await concurrently(60, atOnce(30), () => api.of(application).createChat());
    expect(created.map(({ number }) => number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
    await expect
      .poll(() => numbers(`${application}/chats?limit=7`), settled)
      .toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  });

  test.each(acceptableTexts(255))('a chat keeps its name exactly as sent: $what', async ({ text }) => {
    const application = await api.newApplication();
    expect((await api.post<Chat>(`${application}/chats`, { name: text })).body.name).toBe(text);
    await expect.poll(async () => (await api.all<Chat>(`${application}/chats`))[0]?.name, settled).toBe(text);
  });

  test('a chat with an invalid name is refused and takes no number', async () => {
    const application = await api.newApplication();
    for (const json of [...refusedTexts(255).map(({ json }) => json), '7', 'false', '[]', '{}'])
      expect(await api.post(`${application}/chats`, `{"name":${json}}`), json).toBeProblem(
        422,
        'validation_failed',
        '/name',
      );
    expect((await api.post<Chat>(`${application}/chats`)).body.number).toBe(1);
  });
});

describe('renaming a chat', () => {
  test.each(['PATCH', 'PUT'])(
    'a rename of a chat with %s returns at once and is read soon after; null removes the name',
    async (method) => {
      const application = await api.newApplication();
      const { body: before } = await api.post<Chat>(`${application}/chats`, { name: 'Before' });
      const path = `${application}/chats/1`;
      for (const name of ['Between', null, 'After']) {
        const { status, body } = await api.call<Chat>(method, path, { body: { name } });
        expect(status).toBe(200);
        expect(body).toMatchObject({ number: 1, name, created_at: before.created_at });
        await expect
          .poll(async () => (await api.get(path)).body, settled)
          .toEqual({ ...before, name, updated_at: body.updated_at });
      }
    },
  );

  test.each(['PATCH', 'PUT'])('a rename of a chat with %s needs a valid name or null', async (method) => {
    const path = await api.newChat();
    for (const body of [{ name: '' }, { name: 1 }, { name: 'x'.repeat(256) }])
      expect(await api.call(method, path, { body })).toBeProblem(422, 'validation_failed', '/name');
    for (const body of [undefined, {}, { title: 'x' }])
      expect(await api.call(method, path, { body })).toBeProblem(422, 'validation_failed', '');
  });
});

describe('the metadata of a chat', () => {
  test('the metadata of a chat can be read at once; an edit of the metadata keeps the name, and an edit of the name keeps the metadata', async () => {
    const application = await api.newApplication();
    const metadata = { order: 1042, tags: ['a', null] };
    const { body: created } = await api.post<Chat>(`${application}/chats`, { name: 'one', metadata });
    expect(created).toMatchObject({ number: 1, name: 'one', metadata });
    const chat = `${application}/chats/1`;
    expect((await api.get(chat)).body).toEqual(created);
    expect((await api.patch(chat, { metadata: { order: 2 } })).body).toEqual({
      number: 1,
      metadata: { order: 2 },
      created_at: created.created_at,
      updated_at: expect.stringMatching(timestamp),
    });
    const { body: renamed } = await api.patch<Chat>(chat, { name: null });
    const merged = { ...created, name: null, metadata: { order: 2 }, updated_at: renamed.updated_at };
    await expect.poll(async () => (await api.get(chat)).body, settled).toEqual(merged);
    await expect.poll(() => api.all(`${application}/chats`), settled).toEqual([merged]);
    expect(await api.post(`${application}/chats`, { metadata: [] })).toBeProblem(422, 'validation_failed', '/metadata');
  });
});

describe('listing chats', () => {
  test('chats are listed by number, page by page, from either end, between two numbers', async () => {
    const application = await api.newApplication();
    for (let i = 0; i < 7; i++) await api.newChat(application);
    const path = `${application}/chats`;
    await expect.poll(() => numbers(path), settled).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(await numbers(`${path}?limit=3`)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(await numbers(`${path}?limit=3&order=desc`)).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(await numbers(`${path}?after=2&before=6&limit=2`)).toEqual([3, 4, 5]);
    expect(await numbers(`${path}?after=2&before=6&limit=2&order=desc`)).toEqual([5, 4, 3]);
    expect(await numbers(`${path}?after=7`)).toEqual([]);
    expect((await api.get<ChatPage>(`${path}?limit=7`)).body.next).toBeNull();
  });

  test('the list shows each chat as a read does', async () => {
    const application = await api.newApplication();
    const { body } = await api.post<Chat>(`${application}/chats`, { name: 'Seen twice' });
    await expect
      .poll(async () => (await api.get(`${application}/chats`)).body, settled)
      .toEqual({ data: [body], next: null });
  });
});

/** Returns a request to every route with a chat number in its path. Each is valid except for the number. */
const requestsOf = (chat: string): (() => Promise<Answer>)[] => [
  () => api.get(chat),
  () => api.patch(chat, { name: 'x' }),
  () => api.put(chat, { name: 'x' }),
  () => api.delete(chat),
  () => api.get(`${chat}/messages`),
  () => api.post(`${chat}/messages`, { body: 'x' }),
  () => api.post(`${chat}/messages/batch`, { messages: [{ body: 'x' }] }),
  () => api.get(`${chat}/messages/search?q=x`),
  () => api.get(`${chat}/messages/1`),
  () => api.patch(`${chat}/messages/1`, { body: 'x' }),
  () => api.put(`${chat}/messages/1`, { body: 'x' }),
  () => api.delete(`${chat}/messages/1`),
];

describe('an unknown chat', () => {
  test.each(['1', '2', '4294967296', '9007199254740991', '9007199254740993', '9'.repeat(40)])(
    'an unknown chat is chat_not_found on every route: %s',
    async (number) => {
      const application = await api.newApplication();
      for (const request of requestsOf(`${application}/chats/${number}`))
        expect(await request()).toBeProblem(404, 'chat_not_found');
    },
  );

  test.each(['0', '-1', '+1', '01', '1.0', '1e3', '0x1', 'abc', 'null', '%20', '1%20', '%EF%BC%91', '%D9%A1', '%00'])(
    'an invalid chat number is refused on every route, and the problem names the parameter: %s',
    async (number) => {
      const application = await api.newApplication();
      for (const request of requestsOf(`${application}/chats/${number}`))
        expect(await request()).toBeProblem(422, 'validation_failed', 'chat_number');
    },
  );
});
