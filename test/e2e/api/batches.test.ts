import { describe, expect, test } from 'vitest';
import { concurrently } from '../../support/basics/concurrently.ts';
import type { Message, Messages } from '../../support/client/client.ts';
import { atOnce, deployment, settled } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';

const api = await deployment();

const mebibyte = 1_048_576;

const batch = (chat: string, messages: unknown) => api.post<Messages>(`${chat}/messages/batch`, { messages });
const bodies = (count: number, text = 'Batched') => Array.from({ length: count }, (_, i) => ({ body: `${text} ${i}` }));

/** Returns a batch request of exactly this number of bytes. */
const requestOf = (bytes: number): string => {
  const bare = JSON.stringify({ messages: Array.from({ length: 105 }, () => ({ body: 'x'.repeat(9_900) })) });
  return bare.replace('{', `{${' '.repeat(bytes - bare.length)}`);
};

describe('a batch', () => {
  test.each([1, 2, 1_000])('a batch of %i messages gets consecutive numbers in order', async (count) => {
    const chat = await api.newChat();
    await api.send(chat, 'Before it');
    const { status, body } = await batch(chat, bodies(count));
    expect(status).toBe(201);
    expect(body.data.map(({ number, body }) => [number, body])).toEqual(
      bodies(count).map(({ body }, i) => [i + 2, body]),
    );
    expect(await api.send(chat, 'After it')).toEqual([count + 2]);
    await expect
      .poll(() => api.all<Message>(`${chat}/messages?limit=1000&after=1&before=${count + 2}`), settled)
      .toEqual(body.data);
  });

  test('a batch keeps its numbers consecutive among concurrent creates', async () => {
    const chat = await api.newChat();
    const answers = await concurrently(60, atOnce(30), async (i) =>
      i % 2 ? api.send(chat, `Single ${i}`) : api.send(chat, ...bodies(10, `Batch ${i}`).map(({ body }) => body)),
    );
    for (const numbers of answers) expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i));
    expect(answers.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 330 }, (_, i) => i + 1));
  });

  test('a batch with one invalid message is refused as a whole, naming that message', async () => {
    const chat = await api.newChat();
    expect(await batch(chat, [{ body: 'good' }, { body: '' }])).toBeProblem(
      422,
      'validation_failed',
      '/messages/1/body',
    );
    expect(
      await batch(chat, [{ body: ' ' }, { body: 'good' }, {}, 'x', { body: 7 }, { body: 'y'.repeat(10_001) }]),
    ).toBeProblem(
      422,
      'validation_failed',
      '/messages/0/body',
      '/messages/2/body',
      '/messages/3',
      '/messages/4/body',
      '/messages/5/body',
    );
    expect(await api.send(chat, 'The first')).toEqual([1]);
  });

  test.each([
    ['none', []],
    ['1,001', bodies(1_001)],
    ['an object', {}],
    ['a text', 'x'],
    ['null', null],
    ['nothing at all', undefined],
  ])('a batch of %s is refused', async (_what, messages) => {
    const chat = await api.newChat();
    expect(await batch(chat, messages)).toBeProblem(422, 'validation_failed', '/messages');
    expect(await api.send(chat, 'The first')).toEqual([1]);
  });

  test('a batch of 1 MiB is accepted, and a batch of one byte more is refused', async () => {
    const chat = await api.newChat();
    const path = `${chat}/messages/batch`;
    expect(await api.post(path, requestOf(mebibyte + 1))).toBeProblem(413, 'payload_too_large');
    const { status, body } = await api.post<Messages>(path, requestOf(mebibyte));
    expect([status, body.data[0]?.number, body.data.at(-1)?.number]).toEqual([201, 1, 105]);
    await expect.poll(() => api.all<Message>(`${chat}/messages?limit=1000`), settled).toEqual(body.data);
  });

  test('the size of a batch is counted in bytes, not in characters', async () => {
    const chat = await api.newChat();
    const path = `${chat}/messages/batch`;
    const withAccents = (characters: number) => requestOf(characters).replace('x'.repeat(100), 'é'.repeat(100));
    expect(await api.post(path, withAccents(mebibyte - 99))).toBeProblem(413, 'payload_too_large');
    expect((await api.post(path, withAccents(mebibyte - 100))).status).toBe(201);
  });
});
