import { describe, test } from 'vitest';
import { limits } from '../../../lib/limits.ts';
import type { Application, Chat, Message } from '../../support/client/client.ts';
import { allInstancesKnow, deployment, purged, settled } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';

const api = await deployment();

const numbers = async (path: string) => (await api.all<{ number: number }>(path)).map(({ number }) => number);
const found = (chat: string, q: string) => numbers(`${chat}/messages/search?q=${q}`);
const statusOf = async (path: string) => (await api.get(path)).status;

describe.concurrent('deleting a message', () => {
  test('a deleted message disappears from reads, lists and search, and its number is never used again', async ({
    expect,
  }) => {
    const chat = await api.newChat();
    await api.send(chat, 'keep one', 'drop two', 'keep three', 'drop four');
    await expect.poll(() => found(chat, 'drop'), settled).toEqual([4, 2]);
    for (const number of [2, 4]) {
      const { status, body } = await api.delete(`${chat}/messages/${number}`);
      expect([status, body]).toEqual([204, '']);
    }
    await expect.poll(() => numbers(`${chat}/messages`), settled).toEqual([1, 3]);
    await expect.poll(() => found(chat, 'drop'), settled).toEqual([]);
    expect(await api.get(`${chat}/messages/2`)).toBeProblem(404, 'message_not_found');
    expect(await api.send(chat, 'the next')).toEqual([5]);
  });

  test('the deletion of a message is final at once, stored or not', async ({ expect }) => {
    const chat = await api.newChat();
    for (let number = 1; number <= 20; number++) {
      await api.post(`${chat}/messages`, { body: `short-lived ${number}` });
      const message = `${chat}/messages/${number}`;
      expect((await api.delete(message)).status).toBe(204);
      expect(await api.patch(message, { body: 'revived' })).toBeProblem(404, 'message_not_found');
      expect(await api.put(message, { body: 'revived' })).toBeProblem(404, 'message_not_found');
      expect(await api.delete(message)).toBeProblem(404, 'message_not_found');
    }
    await api.send(chat, 'the last');
    await expect.poll(() => numbers(`${chat}/messages`), settled).toEqual([21]);
    await expect.poll(() => found(chat, 'last'), settled).toEqual([21]);
    await expect.poll(() => found(chat, 'live'), settled).toEqual([]);
    expect(await found(chat, 'revived')).toEqual([]);
  });

  test('the deletion of a message wins over earlier edits', async ({ expect }) => {
    const chat = await api.newChat();
    await api.send(chat, 'original', 'neighbour');
    for (let i = 0; i < 10; i++) await api.patch(`${chat}/messages/1`, { body: `edit ${i}` });
    expect((await api.delete(`${chat}/messages/1`)).status).toBe(204);
    await expect.poll(() => numbers(`${chat}/messages`), settled).toEqual([2]);
    await expect.poll(() => found(chat, 'neighbour'), settled).toEqual([2]);
    await expect.poll(() => found(chat, 'edit'), settled).toEqual([]);
  });
});

describe.concurrent('deleting a chat', () => {
  test('a deleted chat refuses writes at once, and soon everything below it is gone from reads and search', async ({
    expect,
  }) => {
    const application = await api.newApplication();
    const [chat, neighbour] = [await api.newChat(application), await api.newChat(application)];
    await api.send(chat, 'condemned', 'condemned as well');
    await api.send(neighbour, 'not condemned');
    await expect.poll(() => numbers(`${application}/search?q=condemned`), settled).toHaveLength(3);

    const { status, body } = await api.delete(chat);
    expect([status, body]).toEqual([204, '']);
    const gone = [404, 'chat_not_found'] as const;
    expect(await api.post(`${chat}/messages`, { body: 'late' })).toBeProblem(...gone);
    expect(await api.post(`${chat}/messages/batch`, { messages: [{ body: 'late' }] })).toBeProblem(...gone);
    expect(await api.patch(chat, { name: 'late' })).toBeProblem(...gone);
    expect(await api.put(chat, { name: null })).toBeProblem(...gone);
    expect(await api.delete(chat)).toBeProblem(...gone);
    expect(await api.patch(`${chat}/messages/1`, { body: 'late' })).toBeProblem(...gone);
    expect(await api.delete(`${chat}/messages/1`)).toBeProblem(...gone);

    await expect.poll(() => statusOf(chat), settled).toBe(404);
    for (const below of ['', '/messages', '/messages/1', '/messages/search?q=condemned'])
      expect(await api.get(chat + below)).toBeProblem(...gone);
    await expect.poll(() => numbers(`${application}/chats`), settled).toEqual([2]);
    await expect
      .poll(async () => (await api.get(`${application}/search?q=condemned`)).body, purged)
      .toMatchObject({ data: [{ chat_number: 2, number: 1 }], total: 1, next: null });
    expect((await api.post<Chat>(`${application}/chats`)).body.number).toBe(3);
  });

  test('a chat that is deleted right after its create leaves nothing behind', async ({ expect }) => {
    const application = await api.newApplication();
    for (let number = 1; number <= 10; number++) {
      const chat = await api.newChat(application);
      await api.send(chat, 'fleeting');
      expect((await api.delete(chat)).status).toBe(204);
    }
    await api.newChat(application);
    await expect.poll(() => numbers(`${application}/chats`), settled).toEqual([11]);
    for (let number = 1; number <= 10; number++)
      expect(await api.get(`${application}/chats/${number}`)).toBeProblem(404, 'chat_not_found');
    await expect.poll(() => numbers(`${application}/search?q=fleet`), purged).toEqual([]);
  });
});

describe.concurrent('deleting an application', () => {
  test('a deleted application refuses writes at once, and soon everything below it is gone from reads, lists and search', async ({
    expect,
  }) => {
    const application = await api.newApplication('Condemned');
    const token = application.split('/').at(-1);
    const chat = await api.newChat(application);
    await api.send(chat, 'condemned');
    await expect.poll(() => numbers(`${application}/search?q=condemned`), settled).toHaveLength(1);

    const { status, body } = await api.delete(application);
    expect([status, body]).toEqual([204, '']);
    const gone = [404, 'application_not_found'] as const;
    expect(await api.post(`${application}/chats`)).toBeProblem(...gone);
    expect(await api.patch(application, { name: 'late' })).toBeProblem(...gone);
    expect(await api.put(application, { name: 'late' })).toBeProblem(...gone);
    expect(await api.delete(application)).toBeProblem(...gone);
    expect(await api.patch(chat, { name: 'late' })).toBeProblem(...gone);
    expect(await api.delete(chat)).toBeProblem(...gone);
    expect(await api.patch(`${chat}/messages/1`, { body: 'late' })).toBeProblem(...gone);
    expect(await api.delete(`${chat}/messages/1`)).toBeProblem(...gone);
    // Until it reads the application again, each instance of the two functions may accept messages.
    await allInstancesKnow(limits.existingApplicationMs);
    expect(await api.post(`${chat}/messages`, { body: 'late' })).toBeProblem(...gone);
    expect(await api.post(`${chat}/messages/batch`, { messages: [{ body: 'late' }] })).toBeProblem(...gone);

    await expect.poll(() => statusOf(application), settled).toBe(404);
    for (const below of ['', '/chats', '/chats/1', '/chats/1/messages', '/chats/1/messages/1', '/search?q=condemned'])
      expect(await api.get(application + below)).toBeProblem(...gone);
    const listed = await api.all<Application>('/applications?limit=1000');
    expect(listed.map((each) => each.token)).not.toContain(token);
  });

  test('the deletion of an application leaves other applications alone', async ({ expect }) => {
    const [application, neighbour] = [await api.newApplication(), await api.newApplication()];
    const [chat, other] = [await api.newChat(application), await api.newChat(neighbour)];
    await api.send(chat, 'same words');
    await api.send(other, 'same words');
    expect((await api.delete(application)).status).toBe(204);
    await expect.poll(() => statusOf(application), settled).toBe(404);
    await expect.poll(() => found(other, 'same'), settled).toEqual([1]);
    await expect
      .poll(async () => (await api.all<Message>(`${other}/messages`)).map(({ body }) => body), settled)
      .toEqual(['same words']);
  });
});
