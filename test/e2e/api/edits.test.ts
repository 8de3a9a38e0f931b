import { describe, expect, test } from 'vitest';
import { concurrently } from '../../support/basics/concurrently.ts';
import type { ChatMatchPage, Message } from '../../support/client/client.ts';
import { timestamp } from '../../support/client/openapi.ts';
import { atOnce, deployment, settled } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';
import { refusedTexts } from '../../support/texts/names-and-bodies.ts';

const api = await deployment();

const read = async (message: string) => (await api.get<Message>(message)).body.body;
const found = async (chat: string, q: string) =>
  (await api.all<ChatMatchPage['data'][0]>(`${chat}/messages/search?q=${encodeURIComponent(q)}`)).map(
    ({ body }) => body,
  );

describe('editing a message', () => {
  test.each(['PATCH', 'PUT'])(
    'an edit of a message with %s returns at once, without created_at, which only the store knows',
    async (method) => {
      const chat = await api.newChat();
      const { body: before } = await api.post<Message>(`${chat}/messages`, { body: 'Before' });
      const { status, body } = await api.call<Message>(method, `${chat}/messages/1`, { body: { body: 'After' } });
      expect(status).toBe(200);
      expect(body).toEqual({ number: 1, body: 'After', updated_at: expect.stringMatching(timestamp) });
      await expect
        .poll(async () => (await api.get(`${chat}/messages/1`)).body, settled)
        .toEqual({ ...before, body: 'After', updated_at: body.updated_at });
      expect(body.updated_at >= before.created_at).toBe(true);
    },
  );

  test('an edit of the body keeps the metadata, an edit of the metadata keeps the body, and both keep the sender, everywhere', async () => {
    const chat = await api.newChat();
    const message = `${chat}/messages/1`;
    const sent = { sender: 'ada', body: 'zebra one', metadata: { n: 1, tags: ['a', null] } };
    const { status, body: created } = await api.post<Message>(`${chat}/messages`, sent);
    expect([status, created]).toMatchObject([201, { number: 1, ...sent }]);
    const patch = async (edit: object) => (await api.call<Message>('PATCH', message, { body: edit })).body;
    expect(await patch({ metadata: { n: 2 }, sender: 'eve' })).toEqual({
      number: 1,
      metadata: { n: 2 },
      updated_at: expect.any(String),
    });
    const last = await patch({ body: 'zebra two' });
    expect(last).toEqual({ number: 1, body: 'zebra two', updated_at: expect.any(String) });
    const merged = { ...created, body: 'zebra two', metadata: { n: 2 }, updated_at: last.updated_at };
    await expect.poll(async () => (await api.get(message)).body, settled).toEqual(merged);
    expect(await api.all(`${chat}/messages`)).toEqual([merged]);
    const search = `${chat}/messages/search?q=zebra`;
    const matches = () => api.all<ChatMatchPage['data'][0]>(search);
    await expect.poll(matches, settled).toEqual([{ ...merged, highlight: '<em>zebra</em> two' }]);
    expect(await api.patch(message, {})).toBeProblem(422, 'validation_failed');
    expect(await api.patch(message, { metadata: null })).toBeProblem(422, 'validation_failed');
  });

  test('the last accepted edit of a message wins in reads, lists and search', async () => {
    const chat = await api.newChat();
    await api.send(chat, 'draft zero');
    const message = `${chat}/messages/1`;
    for (let i = 1; i <= 30; i++)
      await api.call(i % 2 ? 'PATCH' : 'PUT', message, { body: { body: `draft ${i} of many` } });
    await expect.poll(() => read(message), settled).toBe('draft 30 of many');
    await expect.poll(() => found(chat, 'draft'), settled).toEqual(['draft 30 of many']);
    expect((await api.all<Message>(`${chat}/messages`)).map(({ body }) => body)).toEqual(['draft 30 of many']);
    expect(await found(chat, 'zero')).toEqual([]);
    expect(await found(chat, '29')).toEqual([]);
  });

  test('one of many concurrent edits of a message wins, the same one everywhere', async () => {
    const application = await api.newApplication();
    const chat = await api.newChat(application);
    await api.send(chat, 'contested');
    const handle = api.of(application).chat(1);
    const contenders = await concurrently(40, atOnce(20), (i) => handle.editMessage(1, { body: `contender ${i}` }));
    // The revision decides which edit was the last, because the clocks of two functions may disagree.
    const editedAt = new Map(contenders.map((message) => [message.body, message.updated_at]));
    await expect
      .poll(async () => {
        const { body } = await api.get<Message>(`${chat}/messages/1`);
        const agree = (await found(chat, 'conten')).join() === body.body;
        return { agree, answered: editedAt.get(body.body) === body.updated_at };
      }, settled)
      .toEqual({ agree: true, answered: true });
  });

  test('an edit is accepted before the message is stored', async () => {
    const chat = await api.newChat();
    for (let number = 1; number <= 30; number++) {
      await api.post(`${chat}/messages`, { body: 'too early' });
      expect((await api.patch(`${chat}/messages/${number}`, { body: `edited ${number}` })).status).toBe(200);
    }
    await expect
      .poll(async () => (await api.all<Message>(`${chat}/messages`)).map(({ body }) => body), settled)
      .toEqual(Array.from({ length: 30 }, (_, i) => `edited ${i + 1}`));
    for (const message of await api.all<Message>(`${chat}/messages`)) expect(message.created_at).toMatch(timestamp);
  });

  test('an edit of a message needs a valid body', async () => {
    const chat = await api.newChat();
    await api.send(chat, 'Stays');
    for (const method of ['PATCH', 'PUT']) {
      for (const json of [...refusedTexts(10_000).map(({ json }) => json), 'null', '7', '[]'])
        expect(await api.call(method, `${chat}/messages/1`, { body: `{"body":${json}}` })).toBeProblem(
          422,
          'validation_failed',
          '/body',
        );
      for (const body of [undefined, {}, { text: 'x' }])
        expect(await api.call(method, `${chat}/messages/1`, { body })).toBeProblem(422, 'validation_failed', '');
    }
    await expect.poll(() => read(`${chat}/messages/1`), settled).toBe('Stays');
  });

  test('an edit of a message ignores If-Match', async () => {
    const chat = await api.newChat();
    await api.send(chat, 'Before');
    expect((await api.patch(`${chat}/messages/1`, { body: 'After' }, { 'if-match': '"another"' })).status).toBe(200);
    expect((await api.delete(`${chat}/messages/1`, { 'if-match': '"another"' })).status).toBe(204);
  });
});
