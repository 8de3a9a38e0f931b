import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as passes } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Random } from '../../tools/statistics/random.ts';
import { Client } from '../support/client/client.ts';
import { EventStream } from '../support/client/event-stream.ts';
import { openInChromium } from '../support/servers/browser.ts';
import { dataFolder } from '../support/servers/for-this-test.ts';
import { type Host, launch, ready } from '../support/servers/host.ts';

// The number of kills in a normal run of the tests; `npm run test:follow` has 100.
const kills = Number(process.env.KILLS ?? 6);
const chats = [1, 2];
const query = 'chat=1:0&chat=2:0&application=0';
/** Where a follower keeps the list of chats. */
const list = 0;

interface Change {
  change: number;
  type: string;
  message?: { number: number };
  chat?: { number: number };
}
interface Step {
  chat_number?: number;
  change: number;
  data: Change[];
}

/** What a follower knows: for each chat, the last change of each number. */
class Known {
  readonly chats = new Map<number, { version: number; changes: Map<number, Change> }>();
  steps = 0;
  readonly faults: string[] = [];

  take({ chat_number: chat = list, change, data }: Step): void {
    const known = this.chats.get(chat) ?? { version: 0, changes: new Map<number, Change>() };
    this.chats.set(chat, known);
    if (change <= known.version) this.faults.push(`version ${change} of chat ${chat} came after ${known.version}`);
    known.version = change;
    for (const one of data) known.changes.set((one.message ?? one.chat)?.number as number, one);
    this.steps++;
  }

  /** Returns the last changes of a chat, in the order of their numbers. */
  of(chat: number): Change[] {
    return [...(this.chats.get(chat)?.changes ?? [])].sort(([a], [b]) => a - b).map(([, change]) => change);
  }
}

/** Follows with Node.js until it is stopped, and reconnects with the last id. */
async function follow(url: string, known: Known, stop: { now: boolean }): Promise<void> {
  let lastId: string | undefined;
  while (!stop.now) {
    try {
      const stream = await EventStream.open(url, lastId === undefined ? {} : { 'last-event-id': lastId });
      let taken = 0;
      const take = () => {
        for (; taken < stream.events.length; taken++) {
          const event = stream.events[taken];
          lastId = event?.id;
          if (event?.type === 'changes') known.take(event.data as unknown as Step);
        }
      };
      const poll = setInterval(() => {
        take();
        if (stop.now) void stream.close();
      }, 5);
      await stream.closed;
      clearInterval(poll);
      take();
      lastId = stream.parser.lastId ?? lastId;
    } catch {
      // The host is not there.
    }
    await passes(20);
  }
}

/** What the page does with a plain EventSource. It tells its own server what it got. */
const page = (url: string) => `<!doctype html><title>Follower</title><script>
  const source = new EventSource(${JSON.stringify(url)});
  let steps = [];
  source.addEventListener('changes', ({ data }) => steps.push(JSON.parse(data)));
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) steps.push({ closed: true });
  });
  const tell = async () => {
    const told = steps;
    steps = [];
    if (told.length > 0) await fetch('/', { method: 'POST', body: JSON.stringify(told) });
    setTimeout(tell, 20);
  };
  tell();
</script>`;

/** Serves the page on an origin of its own, and hears what it got. Returns its URL. */
async function servePage(url: string, known: Known): Promise<string> {
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') {
      response.setHeader('content-type', 'text/html').end(page(url));
      return;
    }
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    for (const step of JSON.parse(text) as (Step & { closed?: true })[])
      if (step.closed) known.faults.push('EventSource gave up');
      else known.take(step);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Writes, edits and deletes until it is stopped. Requests may fail, because the host dies. */
async function write(host: () => string, application: string, random: Random, stop: { now: boolean }): Promise<void> {
  const highest = new Map(chats.map((chat) => [chat, 0]));
  while (!stop.now) {
    const chat = random.pick(chats) as number;
    const last = highest.get(chat) as number;
    const choice = random.next();
    const messages = `${host()}${application}/chats/${chat}/messages`;
    const old = `${messages}/${random.between(1, Math.max(last, 1))}`;
    const [method, url, body] =
      choice < 0.5
        ? ['POST', messages, { body: `text ${random.between(1, 1e9)}` }]
        : choice < 0.8
          ? ['PATCH', old, { body: `edit ${random.between(1, 1e9)}` }]
          : choice < 0.95
            ? ['DELETE', old, undefined]
            : ['PATCH', `${host()}${application}/chats/${chat}`, { name: `name ${random.between(1, 1e9)}` }];
    try {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
      const { number } = answer.status === 201 ? ((await answer.json()) as { number: number }) : { number: 0 };
      if (number > last) highest.set(chat, number);
      if (answer.status !== 201) await answer.arrayBuffer();
    } catch {
      await passes(20);
    }
    await passes(random.between(0, 10));
  }
}

/** Returns all changes that the store has, in the order of their numbers. */
async function stored(client: Client, path: string): Promise<Change[]> {
  const changes: Change[] = [];
  for (let after = 0; ; ) {
    const { body } = await client.get<{ data: Change[]; change: number; more: boolean }>(
      `${path}/changes?after=${after}&limit=1000`,
    );
    changes.push(...body.data);
    after = body.change;
    if (!body.more) break;
  }
  return changes.sort((a, b) => ((a.message ?? a.chat)?.number as number) - ((b.message ?? b.chat)?.number as number));
}

test(
  `after ${kills} kills under load, followers in Node.js and in Chromium have exactly what the store has, and got nothing twice`,
  async () => {
    const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
    console.log(`feed: SEED=${seed} makes the same choices again`);
    const random = new Random(seed);
    const dataDir = dataFolder();
    let port = '0';
    const start = () => ready(launch(['--port', port, '--data-dir', dataDir, '--log-level', 'error']));
    let host: Host = await start();
    onTestFinished(async () => {
      await host.stop('SIGKILL');
    });
    port = new URL(host.url).port;
    const client = await Client.connect(host.url);
    const application = await client.newApplication();
    for (const _ of chats) await client.newChat(application);

    const stop = { now: false };
    const url = `${host.url}${application}/feed?${query}`;
    const { body } = await client.post<{ access_token: string }>(`${application}/access-tokens`, { expires_in: 3_600 });
    const inPage = new Known();
    const inNode = [new Known(), new Known(), new Known()];
    openInChromium(
      await servePage(`${host.url}/applications/self/feed?${query}&access_token=${body.access_token}`, inPage),
    );
    const following = inNode.map((known) => follow(url, known, stop));
    await expect.poll(() => inPage.steps, { timeout: 60_000 }).toBeGreaterThan(0);

    const writingStop = { now: false };
    const writing = Array.from({ length: 6 }, () => write(() => host.url, application, random, writingStop));
    for (let kill = 1; kill <= kills; kill++) {
      // This waits for no condition: it chooses the moment of the kill. EventSource reconnects after a second.
      await passes(random.between(500, 2_500));
      host.process.kill('SIGKILL');
      await host.ended;
      host = await start();
    }
    await passes(500);
    // On a slow machine, fewer steps came between the kills.
    await vi.waitFor(() => expect(inPage.steps).toBeGreaterThan(20 * kills), { timeout: 60_000, interval: 100 });
    writingStop.now = true;
    await Promise.all(writing);

    const everywhere = new Map(
      [list, ...chats].map((chat) => [chat, chat === list ? application : `${application}/chats/${chat}`]),
    );
    for (const [name, known] of [['Chromium', inPage] as const, ...inNode.map((one) => ['Node.js', one] as const)])
      for (const [chat, path] of everywhere)
        await vi.waitFor(
          async () => expect([name, known.of(chat), known.faults]).toEqual([name, await stored(client, path), []]),
          { timeout: 30_000, interval: 200 },
        );
    stop.now = true;
    await Promise.all(following);
    console.log(`feed: ${inPage.steps} steps in Chromium, ${inNode.map(({ steps }) => steps)} in Node.js`);
  },
  60_000 + kills * 12_000,
);
