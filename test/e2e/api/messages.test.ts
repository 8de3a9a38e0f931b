import { describe, expect, test } from 'vitest';
import { concurrently } from '../../support/basics/concurrently.ts';
import type { Answer, Message } from '../../support/client/client.ts';
import { timestamp } from '../../support/client/openapi.ts';
import { atOnce, deployment, settled } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';
import { acceptableTexts, refusedTexts } from '../../support/texts/names-and-bodies.ts';

const api = await deployment();

describe('creating a message', () => {
  test('messages are numbered from 1 in each chat', async () => {
    const application = await api.newApplication();
    for (const chat of [await api.newChat(application), await api.newChat(application)])
      for (const number of [1, 2, 3]) {
        const { status, body, headers } = await api.post<Message>(`${chat}/messages`, { body: `Message ${number}` });
        expect(status).toBe(201);
        expect(body).toEqual({
          number,
          sender: null,
          body: `Message ${number}`,
          metadata: {},
          created_at: expect.stringMatching(timestamp),
          updated_at: body.created_at,
        });
        expect(api.resolve(`${chat}/messages`, headers.get('location'))).toBe(`${chat}/messages/${number}`);
      }
  });

  test('concurrent messages get exactly the numbers from 1 on, and each keeps its own', async () => {
    const application = await api.newApplication();
    const chat = await api.newChat(application);
    const created = await concurrently(300, atOnce(60), (i) => api.of(application).chat(1).send(`Body ${i}`));
    const answered = created.sort((a, b) => a.number - b.number);
    expect(answered.map(({ number }) => number)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    await expect.poll(() => api.all<Message>(`${chat}/messages?limit=1000`), settled).toEqual(answered);
  });

  test('a created message is pending, never unknown, until it is stored, and is then read as it was created', async () => {
    const chat = await api.newChat();
    for (let i = 0; i < 50; i++) {
      const { body } = await api.post<Message>(`${chat}/messages`, { body: `Fresh ${i}` });
      const path = `${chat}/messages/${body.number}`;
      const early = await api.get(path);
      if (early.status === 200) expect(early.body).toEqual(body);
      else {
        expect(early).toBeProblem(404, 'message_pending');
        expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
        await expect.poll(async () => (await api.get(path)).body, settled).toEqual(body);
      }
    }
  });

  test('a message keeps its body exactly as sent', async () => {
    const chat = await api.newChat();
    const texts = acceptableTexts(10_000).map(({ text }) => text);
    for (const text of texts)
      expect((await api.post<Message>(`${chat}/messages`, { body: text })).body.body).toBe(text);
    await expect
      .poll(async () => (await api.all<Message>(`${chat}/messages`)).map(({ body }) => body), settled)
      .toEqual(texts);
    expect((await api.get<Message>(`${chat}/messages/3`)).body.body).toBe(texts[2]);
  });

  test('a message with an invalid body is refused and takes no number', async () => {
    const chat = await api.newChat();
    for (const json of [...refusedTexts(10_000).map(({ json }) => json), 'null', '7', 'true', '["x"]', '{}'])
      expect(await api.post(`${chat}/messages`, `{"body":${json}}`), json.slice(0, 50)).toBeProblem(
        422,
        'validation_failed',
        '/body',
      );
    for (const body of [undefined, {}, { text: 'x' }])
      expect(await api.post(`${chat}/messages`, body)).toBeProblem(422, 'validation_failed', '/body');
    expect((await api.post<Message>(`${chat}/messages`, { body: 'first' })).body.number).toBe(1);
  });

  test('unknown members of a message are ignored', async () => {
    const chat = await api.newChat();
    const { status, body } = await api.post(`${chat}/messages`, {
      body: 'x',
      number: 9,
      author: 'me',
    });
    expect([status, Object.keys(body as object).sort()]).toEqual([
      201,
      ['body', 'created_at', 'metadata', 'number', 'sender', 'updated_at'],
    ]);
  });
});

/** Returns a request to every route with a message number in its path. Each is valid except for the number. */
const requestsOf = (message: string): (() => Promise<Answer>)[] => [
  () => api.get(message),
  () => api.patch(message, { body: 'x' }),
  () => api.put(message, { body: 'x' }),
  () => api.delete(message),
];

describe('an unknown message', () => {
  test.each(['1', '2', '4294967296', '9007199254740993', '9'.repeat(40)])(
    'an unknown message is message_not_found on every route: %s',
    async (number) => {
      const chat = await api.newChat();
      for (const request of requestsOf(`${chat}/messages/${number}`))
        expect(await request()).toBeProblem(404, 'message_not_found');
    },
  );

  test.each(['0', '-1', '01', '1.5', '1e3', 'abc', '%20', '%EF%BC%91', '%00', 'search%20'])(
    'an invalid message number is refused on every route, and the problem names the parameter: %s',
    async (number) => {
      const chat = await api.newChat();
      for (const request of requestsOf(`${chat}/messages/${number}`))
        expect(await request()).toBeProblem(422, 'validation_failed', 'message_number');
    },
  );

  test('a message of another chat or application is not found', async () => {
    const application = await api.newApplication();
    const [chat, neighbour, stranger] = [
      await api.newChat(application),
      await api.newChat(application),
      await api.newChat(),
    ];
    await api.send(chat, 'Mine');
    await expect.poll(async () => (await api.get(`${chat}/messages/1`)).status, settled).toBe(200);
    for (const other of [neighbour, stranger])
      for (const request of requestsOf(`${other}/messages/1`))
        expect(await request()).toBeProblem(404, 'message_not_found');
    expect((await api.get<Message>(`${chat}/messages/1`)).body.body).toBe('Mine');
  });
});
