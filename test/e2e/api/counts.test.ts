import { test } from 'vitest';
import type { Application, Chat } from '../../support/client/client.ts';
import { counted, deployment } from '../../support/servers/deployment.ts';

const api = await deployment();

const chatsCount = async (application: string) => (await api.get<Application>(application)).body.chats_count;
const messagesCount = async (chat: string) => (await api.get<Chat>(chat)).body.messages_count;

test.concurrent('the roll-up sets both counts to the number of existing resources', async ({ expect }) => {
  const application = await api.newApplication();
  const chats = [await api.newChat(application), await api.newChat(application), await api.newChat(application)];
  const [busy, single, empty] = chats as [string, string, string];
  await api.send(busy, ...Array.from({ length: 250 }, (_, i) => `Message ${i + 1}`));
  await api.send(single, 'The only one');
  await expect.poll(() => chatsCount(application), counted).toBe(3);
  await expect.poll(() => messagesCount(busy), counted).toBe(250);
  await expect.poll(() => messagesCount(single), counted).toBe(1);
  expect(await messagesCount(empty)).toBe(0);

  for (const number of [1, 7, 250]) await api.delete(`${busy}/messages/${number}`);
  await api.patch(`${busy}/messages/2`, { body: 'An edit changes no count' });
  await api.delete(`${single}/messages/1`);
  await api.delete(empty);
  await expect.poll(() => messagesCount(busy), counted).toBe(247);
  await expect.poll(() => messagesCount(single), counted).toBe(0);
  await expect.poll(() => chatsCount(application), counted).toBe(2);

  await api.send(busy, 'One more');
  await api.newChat(application);
  await expect.poll(() => messagesCount(busy), counted).toBe(248);
  await expect.poll(() => chatsCount(application), counted).toBe(3);
});

test.concurrent('lists show the same counts', async ({ expect }) => {
  const application = await api.newApplication();
  const chat = await api.newChat(application);
  await api.send(chat, 'One', 'Two');
  await expect
    .poll(async () => (await api.all<Chat>(`${application}/chats`)).map((each) => each.messages_count), counted)
    .toEqual([2]);
  await expect
    .poll(async () => {
      const all = await api.all<Application>('/applications?limit=1000');
      return all.find(({ token }) => application.endsWith(token))?.chats_count;
    }, counted)
    .toBe(1);
});

test.concurrent('resources that are created and deleted between two roll-ups are never counted', async ({ expect }) => {
  const application = await api.newApplication();
  const chat = await api.newChat(application);
  for (let number = 1; number <= 10; number++) {
    await api.send(chat, 'Short-lived');
    await api.delete(`${chat}/messages/${number}`);
    await api.delete(await api.newChat(application));
  }
  await api.send(chat, 'Lasting');
  await expect.poll(() => messagesCount(chat), counted).toBe(1);
  await expect.poll(() => chatsCount(application), counted).toBe(1);
});
