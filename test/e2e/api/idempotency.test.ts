import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { concurrently } from '../../support/basics/concurrently.ts';
import type { Answer, Chat, Message, Messages } from '../../support/client/client.ts';
import { atOnce, deployment, settled } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';

const api = await deployment();

const keyed = (key: string) => ({ 'idempotency-key': key });
const answered = ({ status, body, headers }: Answer) => ({ status, body, location: headers.get('location') });
const numbers = async (chat: string) => (await api.all<Message>(`${chat}/messages`)).map(({ number }) => number);

describe('a create that is repeated with its Idempotency-Key', () => {
  test.each([
    ['an application', async () => '/applications', { name: 'Once' }],
    ['a chat', async () => `${await api.newApplication()}/chats`, { name: 'Once' }],
    ['a message', async () => `${await api.newChat()}/messages`, { body: 'Once' }],
    ['a batch', async () => `${await api.newChat()}/messages/batch`, { messages: [{ body: 'One' }, { body: 'Two' }] }],
  ])('a retry with the same Idempotency-Key gets the first response: %s', async (_what, route, body) => {
    const path = await route();
    const key = randomUUID();
    const first = await api.post(path, body, keyed(key));
    expect(first.status).toBe(201);
    for (let i = 0; i < 3; i++) expect(answered(await api.post(path, body, keyed(key)))).toEqual(answered(first));
    expect(answered(await api.post(path, body, keyed(randomUUID())))).not.toEqual(answered(first));
  });

  test('a retry takes no second number', async () => {
    const chat = await api.newChat();
    for (let i = 0; i < 5; i++) await api.post(`${chat}/messages`, { body: 'Once' }, keyed('the key'));
    expect(await api.send(chat, 'Next')).toEqual([2]);
    await expect.poll(() => numbers(chat), settled).toEqual([1, 2]);
  });

  test('a retry may send its Idempotency-Key quoted or bare', async () => {
    const chat = await api.newChat();
    const key = randomUUID();
    for (const form of [key, `"${key}"`, key])
      expect((await api.post<Message>(`${chat}/messages`, { body: 'Once' }, keyed(form))).body.number).toBe(1);
    expect((await api.post<Message>(`${chat}/messages`, { body: 'Once' }, keyed(`'${key}'`))).body.number).toBe(2);
  });

  test('a retry has the same payload when its JSON is the same, however it is written', async () => {
    const chat = await api.newChat();
    const forms = [
      '{"body":"Ünïcode"}',
      ' {\n "body" :\t"\\u00dcn\\u00efcode" } ',
      '{"body":"overwritten","body":"Ünïcode"}',
    ];
    for (const json of forms)
      expect((await api.post<Message>(`${chat}/messages`, json, keyed('same'))).body.number, json).toBe(1);
  });

  test('a retry gets the first response even when the resource was edited or deleted', async () => {
    const application = await api.newApplication();
    const chat = await api.newChat(application);
    const send = () => api.post(`${chat}/messages`, { body: 'Once' }, keyed('k'));
    const first = await send();
    await api.patch(`${chat}/messages/1`, { body: 'Edited' });
    expect(answered(await send())).toEqual(answered(first));
    await api.delete(`${chat}/messages/1`);
    expect(answered(await send())).toEqual(answered(first));
    await api.delete(chat);
    expect(answered(await send())).toEqual(answered(first));
    await api.delete(application);
    expect(answered(await send())).toEqual(answered(first));
  });

  test('concurrent retries create one resource', async () => {
    const chat = await api.newChat();
    const answers = await concurrently(50, atOnce(50), () =>
      api.post(`${chat}/messages`, { body: 'Once' }, keyed('k')),
    );
    for (const answer of answers)
      if (answer.status === 409) {
        expect(answer).toBeProblem(409, 'idempotency_in_flight');
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      } else
        expect(answered(answer)).toMatchObject({
          status: 201,
          body: { number: 1, body: 'Once' },
          location: 'messages/1',
        });
    expect(answers.some(({ status }) => status === 201)).toBe(true);
    expect(await api.send(chat, 'Next')).toEqual([2]);
  });
});

describe('an Idempotency-Key', () => {
  test('an Idempotency-Key with another payload is refused, and the first request stands', async () => {
    const chat = await api.newChat();
    const path = `${chat}/messages`;
    await api.post(path, { body: 'Once' }, keyed('k'));
    for (const body of ['Other', 'once', 'Once '])
      expect(await api.post(path, { body }, keyed('k'))).toBeProblem(422, 'idempotency_key_reused');
    // Unknown members are ignored, but they are part of the payload.
    expect(await api.post(path, { body: 'Once', client_id: 'A' }, keyed('k'))).toBeProblem(
      422,
      'idempotency_key_reused',
    );
    expect((await api.post<Message>(path, { body: 'Once' }, keyed('k'))).body.number).toBe(1);
    await api.post(`${chat}/messages/batch`, { messages: [{ body: 'a' }, { body: 'b' }] }, keyed('k'));
    for (const messages of [
      [{ body: 'b' }, { body: 'a' }],
      [{ body: 'a' }],
      [{ body: 'a' }, { body: 'b' }, { body: 'c' }],
      [{ body: 'a', client_id: 1 }, { body: 'b' }],
    ])
      expect(await api.post(`${path}/batch`, { messages }, keyed('k'))).toBeProblem(422, 'idempotency_key_reused');
    expect(await api.send(chat, 'Next')).toEqual([4]);
  });

  test('an Idempotency-Key is scoped to its path', async () => {
    const [application, stranger] = [await api.newApplication(), await api.newApplication()];
    const name = { name: 'Once' };
    expect((await api.post<Chat>(`${application}/chats`, name, keyed('k'))).body.number).toBe(1);
    expect((await api.post<Chat>(`${stranger}/chats`, name, keyed('k'))).body.number).toBe(1);
    const [chat, neighbour] = [`${application}/chats/1`, await api.newChat(application)];
    for (const path of [chat, neighbour, `${stranger}/chats/1`]) {
      expect((await api.post<Message>(`${path}/messages`, { body: 'Once' }, keyed('k'))).body.number).toBe(1);
      const { body } = await api.post<Messages>(`${path}/messages/batch`, { messages: [{ body: 'Once' }] }, keyed('k'));
      expect(body.data[0]?.number).toBe(2);
    }
  });

  test('a refused request does not use up its Idempotency-Key', async () => {
    const application = await api.newApplication();
    const path = `${application}/chats/1/messages`;
    expect(await api.post(path, { body: 'Once' }, keyed('k'))).toBeProblem(404, 'chat_not_found');
    await api.newChat(application);
    expect(await api.post(path, { body: '' }, keyed('k'))).toBeProblem(422, 'validation_failed');
    expect(await api.post(path, '{"body":', keyed('k'))).toBeProblem(400, 'malformed_json');
    expect((await api.post<Message>(path, { body: 'Once' }, keyed('k'))).body.number).toBe(1);
  });

  test.each([
    ['the longest', 'k'.repeat(255), 201],
    ['the longest, quoted', `"${'k'.repeat(255)}"`, 201],
    ['a single character', '~', 201],
    ['spaces inside', 'a b', 201],
    ['a quote inside', 'a"b', 201],
    ['one too long', 'k'.repeat(256), 422],
    ['nothing', '', 422],
    ['nothing, quoted', '""', 422],
    ['a tab', 'a\tb', 422],
    ['beyond ASCII', 'clé', 422],
  ])('an Idempotency-Key of %s is accepted, or refused with a problem that names it', async (_what, key, status) => {
    const chat = await api.newChat();
    const answer = await api.post<Message>(`${chat}/messages`, { body: 'x' }, keyed(key));
    if (status === 201) expect([answer.status, answer.body.number]).toEqual([201, 1]);
    else {
      expect(answer).toBeProblem(422, 'validation_failed', 'Idempotency-Key');
      expect(await api.send(chat, 'The first')).toEqual([1]);
    }
  });

  test('an Idempotency-Key is ignored on anything but a POST', async () => {
    const chat = await api.newChat();
    await api.send(chat, 'x');
    for (const body of ['one', 'two', 'three'])
      expect((await api.patch(`${chat}/messages/1`, { body }, keyed('k'))).status).toBe(200);
    await expect
      .poll(async () => (await api.get<Message>(`${chat}/messages/1`, keyed(''))).body.body, settled)
      .toBe('three');
  });
});
