import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as passes } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type Chat, type ChatMatchPage, Client, type Message, type Messages } from '../support/client.ts';
import { launch, newDataDir, ready, removeDataDir, startHost } from '../support/host.ts';
import { Random } from '../support/random.ts';
import { Witness } from '../support/witness.ts';

const kills = 20;
const writers = 16;
const waiting = { timeout: 60_000, interval: 100 };

/** A create with an Idempotency-Key, to be repeated until it is answered, and sometimes after that. */
interface Keyed {
  witness: Witness;
  key: string;
  bodies: string[];
  /** Once it is answered. */
  numbers?: number[];
}

test(`${kills} kills at random moments lose no answered write, and leave no gap, no double and no half`, async () => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  console.log(`durability: SEED=${seed} repeats this run's choices`);
  const random = new Random(seed);
  const dataDir = newDataDir();
  onTestFinished(() => removeDataDir(dataDir));
  const flags = ['--rollup-seconds', '1', '--log-level', 'error'];

  let host = await startHost(dataDir, ...flags);
  onTestFinished(async () => {
    await host.stop('SIGKILL');
  });
  const client = await Client.connect(host.url);
  const application = await client.newApplication();
  const witnesses: Witness[] = [];
  for (let i = 0; i < 3; i++) witnesses.push(new Witness(await client.newChat(application)));

  let texts = 0;
  const text = (what: string) => `durable ${what} ${++texts}`;
  /** The answer's status and body, or undefined when the host died before it answered. */
  const answered = async (method: string, path: string, body?: unknown, key?: string) => {
    try {
      const response = await fetch(host.url + path, {
        method,
        headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
        body: body === undefined ? null : JSON.stringify(body),
      });
      return { status: response.status, body: (await response.text()) || '{}' };
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
      return undefined;
    }
  };

  const toRepeat: Keyed[] = [];
  const create = async (witness: Witness, bodies: string[], key?: string): Promise<number[] | undefined> => {
    const answer =
      bodies.length === 1
        ? await answered('POST', `${witness.chat}/messages`, { body: bodies[0] }, key)
        : await answered('POST', `${witness.chat}/messages/batch`, { messages: bodies.map((body) => ({ body })) }, key);
    if (!answer) return undefined;
    expect(answer.status, answer.body).toBe(201);
    const made = JSON.parse(answer.body) as Message | Messages;
    return 'data' in made ? made.data.map(({ number }) => number) : [made.number];
  };
  const createOnce = async (keyed: Keyed) => {
    const numbers = await create(keyed.witness, keyed.bodies, keyed.key);
    if (!numbers) return;
    if (keyed.numbers) expect(numbers, 'a repeated create has its first numbers').toEqual(keyed.numbers);
    else keyed.witness.createAnswered(keyed.bodies, numbers);
    keyed.numbers = numbers;
  };
  const chatNames = { answered: new Map<number, string>(), unanswered: new Set<string>() };
  const createChat = async () => {
    const name = text('chat');
    const answer = await answered('POST', `${application}/chats`, { name });
    if (answer) chatNames.answered.set((JSON.parse(answer.body) as Chat).number, name);
    else chatNames.unanswered.add(name);
  };

  const write = async () => {
    const witness = random.pick(witnesses) as Witness;
    const number = random.pick(witness.free());
    const choice = random.next();
    if (choice < 0.02) return createChat();
    if (number !== undefined && choice < 0.25)
      return witness.alone(number, async () => {
        const body = text('edit');
        witness.edited(number, body, (await answered('PATCH', `${witness.chat}/messages/${number}`, { body }))?.status);
      });
    if (number !== undefined && choice < 0.4)
      return witness.alone(number, async () =>
        witness.deleted(number, (await answered('DELETE', `${witness.chat}/messages/${number}`))?.status),
      );
    const count = choice < 0.6 ? random.between(2, 20) : 1;
    const bodies = Array.from({ length: count }, () => text('message'));
    if (random.chance(0.4)) {
      const keyed: Keyed = { witness, key: randomUUID(), bodies };
      toRepeat.push(keyed);
      return createOnce(keyed);
    }
    const numbers = await create(witness, bodies);
    if (numbers) witness.createAnswered(bodies, numbers);
    else witness.createUnanswered(bodies);
  };

  /** Repeats the creates with a key that were not answered, and a few that were. */
  const repeat = async () => {
    const chosen = toRepeat.filter(({ numbers }) => !numbers || random.chance(0.02));
    await Promise.all(chosen.map(createOnce));
  };

  for (let kill = 0; kill < kills; kill++) {
    let dead = false;
    const work = Array.from({ length: writers }, async () => {
      while (!dead) await write();
    });
    // Not a wait for something: this is the moment.
    await passes(random.between(1, 350));
    host.process.kill('SIGKILL');
    dead = true;
    await Promise.all([host.ended, ...work]);
    if (random.chance(0.25)) {
      // In the middle of a start, too.
      const starting = launch(['--port', '0', '--data-dir', dataDir, ...flags]);
      await passes(random.between(1, 900));
      await starting.stop('SIGKILL');
    }
    host = await ready(launch(['--port', '0', '--data-dir', dataDir, ...flags]));
    await repeat();
  }
  for (const keyed of toRepeat) expect(keyed.numbers, 'each was answered at last').toBeDefined();

  const reader = await Client.connect(host.url);
  let live = 0;
  for (const witness of witnesses) {
    const { body: last } = await reader.post<Message>(`${witness.chat}/messages`, { body: text('end') });
    witness.createAnswered([last.body], [last.number]);
    const search = `${witness.chat}/messages/search?q=durable&limit=100`;
    await expect
      .poll(
        async () => (await reader.get(`${witness.chat}/messages/search?q=${encodeURIComponent(last.body)}`)).body,
        waiting,
      )
      .toMatchObject({ total: 1 });
    const stored = await reader.all<Message>(`${witness.chat}/messages?limit=1000`);
    witness.confirms(stored, last.number);
    await expect
      .poll(
        async () =>
          (await reader.all<ChatMatchPage['data'][0]>(search)).map(({ highlight: _, ...message }) => message).reverse(),
        waiting,
      )
      .toEqual(stored);
    await expect
      .poll(async () => (await reader.get(witness.chat)).body, waiting)
      .toMatchObject({ messages_count: stored.length });
    live += stored.length;
  }
  const chats = await reader.all<Chat>(`${application}/chats?limit=1000`);
  expect(chats.map(({ number }) => number)).toEqual(Array.from({ length: chats.length }, (_, i) => i + 1));
  for (const { number, name } of chats.slice(witnesses.length)) {
    const expected = chatNames.answered.get(number);
    if (expected !== undefined) expect(name).toBe(expected);
    else expect(chatNames.unanswered.delete(name ?? ''), `chat ${number} is one that somebody sent`).toBe(true);
  }
  expect([...chatNames.answered.keys()].every((number) => number <= chats.length)).toBe(true);
  await expect
    .poll(async () => (await reader.get(application)).body, waiting)
    .toMatchObject({ chats_count: chats.length });
  console.log(`durability: ${texts} texts were sent, ${live} messages are live, ${toRepeat.length} had a key`);
});
