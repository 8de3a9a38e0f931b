import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type ApplicationStep,
  type ChatHandle,
  type ChatStep,
  ChatSystemError,
  type FollowStatus,
  type Message,
} from '../../../client/src/index.ts';
import { patient } from '../../support/client/client.ts';
import { atOnce, deployment, onStack, settled } from '../../support/servers/deployment.ts';

// The package chat-system-client on the deployment. Following goes over the transport that the deployment prefers.

const api = await deployment();

/** The writes of each writer, and how often a consumer begins again: few on the stack, where each takes long. */
const [rounds, restarts] = onStack ? [4, 3] : [10, 30];

/** Creates an application, and returns the client of the holder of its token. */
async function newSystem() {
  const { token } = await api.operator.createApplication('Some application', patient);
  return api.system(token, patient);
}
async function newChat() {
  const system = await newSystem();
  const { number } = await system.createChat();
  return { system, chat: system.chat(number) };
}

/** Returns a signal that aborts at the end of the test. */
function untilEnd(): AbortSignal {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  return controller.signal;
}

/** What a consumer has of a chat. Fails when a change comes twice, or out of order. */
class Replica {
  readonly messages = new Map<number, Message>();
  readonly steps: ChatStep[] = [];
  change: number;
  isDeleted = false;
  /** Why its connections were lost, if they were. */
  readonly losses: string[] = [];
  constructor(after: number) {
    this.change = after;
  }

  async follow(chat: ChatHandle, signal: AbortSignal): Promise<void> {
    try {
      for await (const step of chat.follow({ after: this.change, signal, onStatus: this.#tell })) this.take(step);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  readonly #tell = (status: FollowStatus) => {
    if (!status.live) this.losses.push(status.error.message);
  };

  take(step: ChatStep): void {
    this.steps.push(step);
    for (const { change, type, message } of step.data) {
      expect(change).toBeGreaterThan(this.change);
      expect(change).toBeLessThanOrEqual(step.change);
      if (type === 'message.deleted') this.messages.delete(message.number);
      else this.messages.set(message.number, message);
    }
    this.change = step.change;
    this.isDeleted = step.deleted ?? false;
  }

  sorted(): Message[] {
    return [...this.messages.values()].sort((a, b) => a.number - b.number);
  }
}

async function all<Item>(list: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of list) items.push(item);
  return items;
}

describe('the client', () => {
  test('the client sends, reads, edits, lists, searches and deletes messages', async () => {
    const { system, chat } = await newChat();
    const first = await chat.send('Hello, world', { sender: 'ada', metadata: { order: 1042 } });
    expect(first).toMatchObject({ number: 1, sender: 'ada', body: 'Hello, world', metadata: { order: 1042 } });
    const [second, third] = await chat.sendAll([{ body: 'Two' }, { body: 'Three', sender: 'bob' }]);
    expect([second?.number, third?.number]).toEqual([2, 3]);
    // Waits until it is stored.
    expect(await chat.message(1)).toEqual(first);

    expect(await chat.editMessage(2, { body: 'Two, edited' })).toMatchObject({ number: 2, body: 'Two, edited' });
    await chat.deleteMessage(3);
    await expect
      .poll(async () => (await all(chat.messages({ order: 'desc', limit: 1 }))).map(({ body }) => body), settled)
      .toEqual(['Two, edited', 'Hello, world']);
    await expect.poll(async () => (await chat.search('ello, W').page()).total, settled).toBe(1);
    const [match] = await all(system.search('ello, W', { limit: 1 }));
    expect(match).toMatchObject({ chat_number: 1, highlight: 'H<em>ello, w</em>orld' });

    const gone = await chat.message(3, { retryMs: 0 }).catch((error: unknown) => error);
    expect(gone).toBeInstanceOf(ChatSystemError);
    expect(gone).toMatchObject({ status: 404, code: 'message_not_found', requestId: expect.any(String) });
    const invalid = await chat.send(' ').catch((error: unknown) => error);
    expect(invalid).toMatchObject({ status: 422, code: 'validation_failed', errors: [{ pointer: '/body' }] });
  });

  test('the client creates, edits, lists and deletes chats and the application', async () => {
    const system = await newSystem();
    const created = await system.createChat({ name: 'One' }, { idempotencyKey: 'the-first-chat' });
    expect(await system.createChat({ name: 'One' }, { idempotencyKey: 'the-first-chat' })).toEqual(created);
    const other = system.chat((await system.createChat()).number);
    await other.edit({ name: 'Two', metadata: { a: 1 } });
    await expect.poll(async () => (await other.get()).name, settled).toBe('Two');
    await expect
      .poll(async () => (await all(system.chats({ limit: 1 }))).map(({ name }) => name), settled)
      .toEqual(['One', 'Two']);
    await other.delete();
    await expect.poll(async () => all(system.chats()), settled).toHaveLength(1);
    await system.editApplication({ name: 'Renamed' });
    await expect.poll(async () => (await system.getApplication()).name, settled).toBe('Renamed');
    const { token } = await system.getApplication();
    const listed = await api.operator.applications({ order: 'desc', limit: 1 }).page();
    expect(listed.data).toHaveLength(1);
    await system.deleteApplication();
    expect(await system.createChat().catch((error: unknown) => error)).toMatchObject({
      status: 401,
      code: 'access_token_invalid',
    });
    expect(token).toBeTruthy();
    expect(await system.health()).toEqual({ status: 'ok' });
  });

  test('the client with an access token can do exactly what the access token permits', async () => {
    const { system, chat } = await newChat();
    await chat.send('From the server');
    const can = ['read', 'create'] as const;
    const { access_token } = await system.createAccessToken({ sender: 'ada', chats: [1], can: [...can] });
    const held = api.system(async () => access_token, patient).chat(1);
    expect(await held.send('From a browser')).toMatchObject({ number: 2, sender: 'ada' });
    expect(await held.message(1)).toMatchObject({ body: 'From the server' });
    expect(await held.deleteMessage(1).catch((error: unknown) => error)).toMatchObject({
      status: 403,
      code: 'not_allowed',
    });

    const replica = new Replica(0);
    const following = replica.follow(held, untilEnd());
    await expect.poll(() => replica.sorted().map(({ number }) => number), settled).toEqual([1, 2]);
    await held.send('While it follows');
    await expect.poll(() => replica.sorted().map(({ number }) => number), settled).toEqual([1, 2, 3]);
    await chat.delete();
    if (replica.isDeleted) await following;
  });

  test('the client follows a chat while others write to it, gets each change once and in order, and ends with what the store has', async () => {
    const { chat } = await newChat();
    const replica = new Replica(0);
    void replica.follow(chat, untilEnd());
    // This one stops after each step, and begins again where it was.
    const restarting = new Replica(0);
    const signal = untilEnd();
    const restart = async () => {
      for (let times = 0; !signal.aborted; times++)
        for await (const step of chat.follow({ after: restarting.change, signal })) {
          restarting.take(step);
          if (times < restarts) break;
        }
    };
    void restart().catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    const write = async (writer: number) => {
      for (let i = 0; i < rounds; i++) {
        const { number } = await chat.send(`Message ${i} of ${writer}`, { sender: `w${writer}` });
        if (i % 3 === 1) await chat.editMessage(number, { body: `Edited ${i} of ${writer}` });
        if (i % 5 === 2) await chat.deleteMessage(number);
      }
    };
    await Promise.all(Array.from({ length: atOnce(10) }, (_, writer) => write(writer)));
    const last = await chat.send('The last one');
    await expect.poll(() => replica.messages.has(last.number), settled).toBe(true);
    await expect.poll(async () => restarting.sorted(), settled).toEqual(await all(chat.messages({ limit: 1_000 })));
    expect(replica.sorted()).toEqual(await all(chat.messages({ limit: 1_000 })));
    // The follower has the present version of the chat, so it has missed nothing.
    expect((await chat.changes()).change).toBe(replica.change);
    // It came live, and was not only read while the client tried to connect.
    expect(replica.losses).toEqual([]);
  });

  test('the client also follows a batch that is too large for one event of the feed', async () => {
    const { chat } = await newChat();
    const replica = new Replica(0);
    void replica.follow(chat, untilEnd());
    await chat.send('Before');
    await expect.poll(() => replica.messages.size, settled).toBe(1);
    await chat.sendAll(Array.from({ length: 40 }, (_, i) => ({ body: `${i} ${'ä'.repeat(9_000)}` })));
    await expect.poll(() => replica.messages.size, settled).toBe(41);
    await chat.send('After');
    await expect.poll(() => replica.messages.size, settled).toBe(42);
    expect(replica.sorted()).toEqual(await all(chat.messages({ limit: 1_000 })));
  });

  test('the client follows the list of chats, and several chats over one connection', async () => {
    const { system, chat } = await newChat();
    const other = system.chat((await system.createChat({ name: 'Other' })).number);
    const told: string[] = [];
    const tell = ({ chat_number, data, deleted }: ChatStep | ApplicationStep) => {
      for (const each of data) {
        const number = 'chat' in each ? each.chat.number : each.message.number;
        told.push(`${chat_number ?? 'list'}: ${each.type} ${number}`);
      }
      if (deleted) told.push(`${chat_number}: deleted`);
    };
    const signal = untilEnd();
    const follow = async () => {
      const chats = { [chat.number]: 0, [other.number]: 'now' as const };
      for await (const step of system.followAll({ chats, application: 0 }, { signal })) tell(step);
    };
    void follow().catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    await expect
      .poll(() => told, settled)
      .toEqual(expect.arrayContaining(['list: chat.created 1', 'list: chat.created 2']));
    await chat.send('One');
    await other.edit({ name: 'Renamed' });
    await other.send('Two');
    const expected = ['1: message.created 1', 'list: chat.edited 2', '2: message.created 1'];
    await expect.poll(() => told, settled).toEqual(expect.arrayContaining(expected));
    await chat.delete();
    await expect.poll(() => told, settled).toContain('list: chat.deleted 1');
    await other.send('Three');
    await expect.poll(() => told, settled).toContain('2: message.created 2');
    expect(new Set(told).size, 'nothing comes twice').toBe(told.length);
  });
});
