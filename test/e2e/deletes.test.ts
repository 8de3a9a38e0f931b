import { setTimeout as passes } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { concurrently } from '../support/basics/concurrently.ts';
import { Client, type Message } from '../support/client/client.ts';
import { type Host, newDataDir, removeDataDir, startHost } from '../support/servers/host.ts';
import { count, rows, rowsNaming } from './data-files.ts';
import '../support/client/problem-matcher.ts';

/**
 * The purge takes steps of 1,000, so it has fifteen, and is killed in the middle of them: soon after the first, because it
 * goes on while the last write is awaited.
 */
const size = 15_000;
const waiting = { timeout: 120_000, interval: 20 };
/**
 * Milliseconds. Far above the measured times (at worst 50 ms, and 0.5 s until stored), because other tests may use the
 * machine.
 */
const quick = { answeredMs: 2_000, storedMs: 10_000 };

let dataDir: string;
let host: Host;
let client: Client;
const restart = async () => {
  host = await startHost(dataDir, '--rollup-seconds', '1');
  client = await Client.connect(host.url);
};
beforeAll(async () => {
  dataDir = newDataDir();
  await restart();
});
afterAll(async () => {
  await host.stop('SIGKILL');
  removeDataDir(dataDir);
});

/** Fills the chats with this number of messages in total, edits and deletes some, and waits until all can be found. */
async function fill(chats: string[]): Promise<void> {
  await concurrently(size / 1_000, 4, async (i) => {
    const bodies = Array.from({ length: 1_000 }, (_, j) => `condemned ${i} ${j}`);
    await client.send(chats[i % chats.length] as string, ...bodies);
  });
  for (const chat of chats)
    for (const number of [10, 11]) {
      await client.patch(`${chat}/messages/${number}`, { body: 'condemned and edited' });
      await client.delete(`${chat}/messages/${number + 2}`);
    }
  const application = (chats[0] as string).split('/chats')[0];
  await vi.waitFor(() => expect(documents()).toBe(size - 2 * chats.length + spared), waiting);
  const { body } = await client.get(`${application}/search?q=condemned%20${size / 1_000 - 1}%20999`);
  expect(body).toMatchObject({ total: 1 });
}

const documents = () =>
  count(dataDir, 'store.db', 'SELECT count(*) AS count FROM search_documents WHERE body IS NOT NULL');
const stored = () => count(dataDir, 'store.db', 'SELECT count(*) AS count FROM messages');

/** Number of messages of the neighbour, which are not deleted. */
let spared = 0;
let neighbour: string;

/**
 * Writes to the neighbour until stopped, and measures how long each write takes to be acknowledged and to be stored.
 */
function writeMeanwhile() {
  const times = { answeredMs: 0, storedMs: 0, writes: 0 };
  let stopped = false;
  const work = async () => {
    while (!stopped) {
      const begun = performance.now();
      const [number] = await client.send(neighbour, `spared ${spared}`);
      times.answeredMs = Math.max(times.answeredMs, performance.now() - begun);
      spared++;
      await vi.waitFor(
        async () => expect((await client.get(`${neighbour}/messages/${number}`)).status).toBe(200),
        waiting,
      );
      times.storedMs = Math.max(times.storedMs, performance.now() - begun);
      times.writes++;
    }
  };
  const done = work();
  return async () => {
    stopped = true;
    await done;
    return times;
  };
}

/** Continues writing until the condition is met, and expects that all writes were quick meanwhile. */
async function meanwhileQuick(condition: () => boolean): Promise<void> {
  const stop = writeMeanwhile();
  const end = Date.now() + waiting.timeout;
  while (!condition()) {
    expect(Date.now(), 'the purge goes on').toBeLessThan(end);
    await passes(5);
  }
  const times = await stop();
  console.log(`deletes: ${JSON.stringify(times)}`);
  expect(times.answeredMs).toBeLessThan(quick.answeredMs);
  expect(times.storedMs).toBeLessThan(quick.storedMs);
}

/** Stops the host after the purge, and expects that neither file contains anything but the tombstones. */
async function onlyTombstones(token: string, tombstones: { ledger: object; store: object }): Promise<void> {
  const listed = (await client.all<Message>(`${neighbour}/messages?limit=1000`)).map(({ body }) => body);
  expect(listed).toEqual(Array.from({ length: spared }, (_, i) => `spared ${i}`));
  await vi.waitFor(() => expect(documents()).toBe(spared), waiting);
  await vi.waitFor(() => {
    expect(count(dataDir, 'store.db', 'SELECT count(*) AS count FROM rollup_marks')).toBe(0);
    expect(count(dataDir, 'store.db', 'SELECT count(*) AS count FROM purges WHERE pass = 1')).toBe(0);
  }, waiting);
  expect(await host.stop()).toBe(0);
  expect(rowsNaming(dataDir, 'ledger.db', token)).toEqual(tombstones.ledger);
  expect(rowsNaming(dataDir, 'store.db', token)).toEqual(tombstones.store);
  for (const table of ['queue_messages', 'dead_letters'])
    expect(rows(dataDir, 'ledger.db', `SELECT * FROM ${table}`)).toEqual([]);
  expect(count(dataDir, 'store.db', 'SELECT count(*) AS count FROM search_documents')).toBe(spared);
  for (const table of ['search_trigrams', 'search_grams'])
    expect(count(dataDir, 'store.db', `SELECT count(*) AS count FROM ${table}_docsize`)).toBe(spared);
  const found = (word: string) =>
    count(
      dataDir,
      'store.db',
      'SELECT count(*) AS count FROM search_trigrams WHERE search_trigrams MATCH ?',
      `body : "${word}"`,
    );
  expect([found('condemned'), found('edited'), found('spared')]).toEqual([0, 0, spared]);
}

const tokenOf = (path: string) => path.split('/')[2] as string;
/** The result of the request that created the application. It is kept for a day, under the request's Idempotency-Key. */
const keptKey = [expect.objectContaining({ result: expect.stringContaining('token') })];
const tombstone = (more: object) => expect.objectContaining({ deleted: 1, ...more });

describe(`deleting ${size} messages`, () => {
  test('a deleted chat of many messages is refused at once, and purged while other writes continue, also across a kill', async () => {
    const application = await client.newApplication();
    const chat = await client.newChat(application);
    await client.patch(chat, { name: 'Condemned' });
    neighbour = await client.newChat(application);
    await fill([chat]);

    expect((await client.delete(chat)).status).toBe(204);
    expect(await client.post(`${chat}/messages`, { body: 'late' })).toBeProblem(404, 'chat_not_found');
    expect(await client.patch(`${chat}/messages/1`, { body: 'late' })).toBeProblem(404, 'chat_not_found');
    await expect.poll(async () => (await client.get(chat)).status, waiting).toBe(404);
    expect(await client.get(`${chat}/messages`)).toBeProblem(404, 'chat_not_found');
    expect(await client.get(`${chat}/messages/search?q=condemned`)).toBeProblem(404, 'chat_not_found');

    await meanwhileQuick(() => stored() - spared < 0.95 * size);
    await host.stop('SIGKILL');
    expect(stored(), 'the kill came in the middle').toBeGreaterThan(0.1 * size);
    await restart();
    await meanwhileQuick(() => documents() - spared < 0.01 * size);
    await onlyTombstones(tokenOf(application), {
      ledger: {
        applications: [expect.objectContaining({ deleted: 0, chats: 2 })],
        chats: [
          tombstone({ number: 1, name: null, messages: size }),
          expect.objectContaining({ number: 2, deleted: 0 }),
        ],
        idempotency_keys: keptKey,
      },
      store: {
        applications: [expect.objectContaining({ deleted: 0, chats_count: 1 })],
        chats: [tombstone({ number: 1, name: null }), expect.objectContaining({ number: 2, deleted: 0 })],
        messages: expect.toSatisfy((left: object[]) => left.length === spared),
        versions: [expect.objectContaining({ chat: 0 }), expect.objectContaining({ chat: 2 })],
        purges: [expect.objectContaining({ chat: 1, pass: 2 })],
        search_applications: [expect.anything()],
      },
    });
  });

  test('a deleted application of many messages is refused at once, and purged while other writes continue, also across a kill', async () => {
    await restart();
    const application = await client.newApplication('Condemned');
    const chats: string[] = [];
    for (let i = 0; i < 10; i++) {
      const chat = await client.newChat(application);
      await client.patch(chat, { name: `Condemned ${i}` });
      chats.push(chat);
    }
    await fill(chats);

    expect((await client.delete(application)).status).toBe(204);
    expect(await client.post(`${application}/chats`)).toBeProblem(404, 'application_not_found');
    expect(await client.post(`${chats[3]}/messages`, { body: 'late' })).toBeProblem(404, 'application_not_found');
    await expect.poll(async () => (await client.get(application)).status, waiting).toBe(404);
    expect(await client.get(`${chats[3]}/messages/1`)).toBeProblem(404, 'application_not_found');
    expect(await client.get(`${application}/search?q=condemned`)).toBeProblem(404, 'application_not_found');

    await meanwhileQuick(() => documents() - spared < 0.95 * size);
    await host.stop('SIGKILL');
    expect(documents(), 'the kill came in the middle').toBeGreaterThan(0.1 * size);
    await restart();
    await meanwhileQuick(() => documents() - spared < 0.01 * size);
    await onlyTombstones(tokenOf(application), {
      ledger: { applications: [tombstone({ chats: 10, name: '' })], idempotency_keys: keptKey },
      store: { applications: [tombstone({ name: '' })], purges: [expect.objectContaining({ chat: 0, pass: 2 })] },
    });
  });
});
