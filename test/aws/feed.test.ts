import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { Random } from '../../tools/statistics/random.ts';
import { ChatFollower, type StepEvent } from '../support/client/chat-follower.ts';
import type { Application, Chat, Client, Message, MessagePage } from '../support/client/client.ts';
import { EventSocket, type EventsTransport } from '../support/client/event-socket.ts';
import { deployment, settled } from '../support/servers/deployment.ts';

// The feed of the deployed stack: AppSync Events of the emulator, its authorizer, the feed queue and its worker.

let api: Client;
let token: string;
const open: EventSocket[] = [];
/** MiniStack may close the connection before the client has read why. */
const refusal = /Unauthorized|closed/;

beforeAll(async () => {
  api = await deployment();
  token = await newApplication();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()));
});

const created = async <Thing>(path: string, body: object): Promise<Thing> => {
  const answer = await api.post<Thing>(path, body);
  expect(answer.status).toBe(201);
  return answer.body;
};
const newApplication = async () => (await created<Application>('/applications', { name: 'feed' })).token;
const newChat = async (of = token) => (await created<Chat>(`/applications/${of}/chats`, { name: 'feed' })).number;
const send = (chat: number, body: string) =>
  created<Message>(`/applications/${token}/chats/${chat}/messages`, { body });

/** Returns the transport that the feed lists for an application's token, or for an access token. */
async function transportFor(bearer: string, isAccessToken = false): Promise<EventsTransport> {
  const answer = isAccessToken
    ? await api.get<{ transports: EventsTransport[] }>('/applications/self/feed', { authorization: `Bearer ${bearer}` })
    : await api.get<{ transports: EventsTransport[] }>(`/applications/${bearer}/feed`);
  expect(answer).toMatchObject({ status: 200, body: { transports: [{ type: 'appsync-events' }] } });
  return answer.body.transports[0] as EventsTransport;
}
const accessToken = async (limits: object = {}, of = token) =>
  (await created<{ access_token: string }>(`/applications/${of}/access-tokens`, limits)).access_token;

async function connect(transport: EventsTransport): Promise<EventSocket> {
  const socket = await EventSocket.connect(transport);
  open.push(socket);
  return socket;
}
const channelOf = ({ channels }: EventsTransport, chat: number) => channels.chat.replace('{chat_number}', `${chat}`);

/** Follows a chat, and returns the events that came. */
async function follow(transport: EventsTransport, chat: number): Promise<StepEvent[]> {
  const events: StepEvent[] = [];
  await (await connect(transport)).subscribe(channelOf(transport, chat), (event) => events.push(JSON.parse(event)));
  return events;
}

describe('the feed on AWS', () => {
  test('the feed names the Event API, and its channels without the token', async () => {
    const transport = await transportFor(token);
    expect(transport.url).toMatch(/^ws:\/\/.*\/event\/realtime$/);
    expect(transport.http_url).toMatch(/^http:\/\/.*\/event$/);
    expect(transport.channels).toEqual({
      chat: expect.stringMatching(/^\/chats\/[0-9a-f]{32}\/\{chat_number\}$/),
      application: expect.stringMatching(/^\/applications\/[0-9a-f]{32}$/),
    });
    expect(transport.authorization).toEqual({ host: new URL(transport.http_url).host, Authorization: token });
    const bearer = await accessToken();
    const held = await transportFor(bearer, true);
    expect(held.authorization).toMatchObject({ Authorization: bearer });
    expect(JSON.stringify(held)).not.toContain(token);
    expect(held.channels.application).not.toBe(transport.channels.application);
  });

  test('a follower gets what is created, edited and deleted, and by then it can be read', async () => {
    const chat = await newChat();
    const [events, held] = [
      await follow(await transportFor(token), chat),
      await follow(await transportFor(await accessToken({ chats: [chat] }), true), chat),
    ];
    const path = `/applications/${token}/chats/${chat}/messages`;
    const message = await send(chat, 'Hello 🎉');
    await expect.poll(() => events.length, settled).toBe(1);
    expect(events).toEqual([{ chat_number: chat, change: 1, data: [{ change: 1, type: 'message.created', message }] }]);
    expect((await api.get(`${path}/${message.number}`)).status).toBe(200);

    await api.patch(`${path}/${message.number}`, { body: 'edited' });
    await expect.poll(() => events.length, settled).toBe(2);
    expect(events[1]).toMatchObject({
      change: 2,
      data: [{ type: 'message.edited', message: { number: 1, body: 'edited' } }],
    });

    await api.delete(`${path}/${message.number}`);
    await expect.poll(() => events.length, settled).toBe(3);
    expect(events[2]).toEqual({
      chat_number: chat,
      change: 3,
      data: [{ change: 3, type: 'message.deleted', message: { number: 1 } }],
    });
    await expect.poll(() => held, settled).toEqual(events);
  });

  test('a follower of the application gets its chats, and nobody gets those of another one', async () => {
    const own = await newApplication();
    const transport = await transportFor(own);
    const [chats, foreign]: [StepEvent[], StepEvent[]] = [[], []];
    await (await connect(transport)).subscribe(transport.channels.application, (event) =>
      chats.push(JSON.parse(event)),
    );
    const other = await transportFor(token);
    await (await connect(other)).subscribe(other.channels.application, (event) => foreign.push(JSON.parse(event)));
    await newChat(own);
    await expect
      .poll(() => chats, settled)
      .toEqual([
        {
          change: 1,
          data: [{ change: 1, type: 'chat.created', chat: expect.objectContaining({ number: 1, name: 'feed' }) }],
        },
      ]);
    expect(foreign).toEqual([]);
  });

  test('the authorizer refuses texts that are no token, channels that a token may not follow, wildcards, and publishing', async () => {
    const transport = await transportFor(token);
    const unknown = { ...transport, authorization: { ...transport.authorization, Authorization: 'x'.repeat(22) } };
    await expect(connect(unknown)).rejects.toThrow(refusal);
    const creator = await accessToken({ can: ['create'] });
    const refused = { ...transport, authorization: { ...transport.authorization, Authorization: creator } };
    await expect(connect(refused)).rejects.toThrow(refusal);

    const held = await transportFor(await accessToken({ chats: [1] }), true);
    const foreign = await transportFor(await newApplication());
    const [own, limited] = [await connect(transport), await connect(held)];
    for (const [socket, channel] of [
      [own, '/chats/*'],
      [own, channelOf(transport, 1).replace(/1$/, '*')],
      [own, channelOf(foreign, 1)],
      [own, foreign.channels.application],
      [own, channelOf(held, 1)],
      [limited, channelOf(held, 2)],
      [limited, held.channels.application],
      [limited, channelOf(transport, 1)],
    ] as const)
      await expect(socket.subscribe(channel, () => undefined)).rejects.toThrow(refusal);
    await expect(own.publish(channelOf(transport, 1), ['{}'])).rejects.toThrow(refusal);
    const published = await fetch(transport.http_url, {
      method: 'POST',
      headers: { authorization: token },
      body: JSON.stringify({ channel: channelOf(transport, 1), events: ['{}'] }),
    });
    expect(published.status).toBe(401);
    await limited.subscribe(channelOf(held, 1), () => undefined);
  });

  test('ending the access tokens silences only followers with an access token', async () => {
    const own = await newApplication();
    const chat = await newChat(own);
    const path = `/applications/${own}/chats/${chat}/messages`;
    const ended = await follow(await transportFor(await accessToken({}, own), true), chat);
    const server = await follow(await transportFor(own), chat);
    await created<Message>(path, { body: 'before' });
    await expect.poll(() => [ended.length, server.length], settled).toEqual([1, 1]);

    expect((await api.delete(`/applications/${own}/access-tokens`)).status).toBe(204);
    const later = await follow(await transportFor(await accessToken({}, own), true), chat);
    await created<Message>(path, { body: 'after' });
    await expect.poll(() => [later.length, server.length], settled).toEqual([1, 2]);
    expect(ended).toHaveLength(1);
  });

  test('a version above 200 kB comes as truncated, and its changes can be read', async () => {
    const chat = await newChat();
    const events = await follow(await transportFor(token), chat);
    const messages = Array.from({ length: 21 }, () => ({ body: 'x'.repeat(10_000) }));
    await created(`/applications/${token}/chats/${chat}/messages/batch`, { messages });
    await expect.poll(() => events.length, settled).toBeGreaterThan(0);
    expect(events).toEqual([{ chat_number: chat, change: 1, truncated: true }]);
    const follower = new ChatFollower(api, `/applications/${token}/chats/${chat}`);
    follower.take(events[0] as StepEvent);
    await follower.catchUp();
    expect(follower.messages.size).toBe(21);
  });

  test('a follower whose events are lost, doubled and reordered, and whose connection closes, has in the end what the store has', async () => {
    const chat = await newChat();
    const path = `/applications/${token}/chats/${chat}`;
    const transport = await transportFor(token);
    const random = new Random(18);
    const follower = new ChatFollower(api, path);
    const held: StepEvent[] = [];
    /** Loses a quarter of the events, holds another quarter back until a later one, and doubles a third quarter. */
    const take = (text: string) => {
      const event: StepEvent = JSON.parse(text);
      const luck = random.next();
      if (luck < 0.25) return;
      if (luck < 0.5) held.push(event);
      else follower.take(event);
      if (luck > 0.75) for (const each of [event, ...held.splice(0).reverse()]) follower.take(each);
    };
    const subscribed = async () => {
      // A busy emulator may refuse a connection because its authorizer ran out of time. Clients try again.
      const socket = await vi.waitFor(() => connect(transport), settled);
      await socket.subscribe(channelOf(transport, chat), take);
      await follower.catchUp();
      return socket;
    };
    for (let round = 0; round < 3; round++) {
      const socket = await subscribed();
      for (let i = 0; i < 8; i++) {
        const { number } = await send(chat, `${round}/${i}`);
        if (i % 3 === 0) await api.patch(`${path}/messages/${number}`, { body: `${round}/${i} edited` });
        if (i % 4 === 3) await api.delete(`${path}/messages/${number}`);
      }
      // Half of the rounds are still being stored when the connection closes.
      await socket.close();
    }
    const list = async () => (await api.get<MessagePage>(`${path}/messages?limit=100`)).body.data;
    // A quarter of the 24 messages was deleted.
    await expect.poll(async () => (await list()).length, settled).toBe(18);
    await subscribed();
    await send(chat, 'last');
    await expect
      .poll(async () => {
        await follower.catchUp();
        return [...follower.messages.values()].sort((a, b) => a.number - b.number);
      }, settled)
      .toHaveLength(19);
    // An edit of the last round may be stored even later.
    await expect
      .poll(async () => {
        await follower.catchUp();
        const followed = [...follower.messages.values()].sort((a, b) => a.number - b.number);
        return JSON.stringify(followed) === JSON.stringify(await list());
      }, settled)
      .toBe(true);
    expect(follower.applied).toEqual([...follower.applied].sort((a, b) => a - b));
  });
});
