import { copyFileSync, openSync, readdirSync, readSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import { expect } from 'vitest';
import { ChatSystem } from '../../client/src/index.ts';
import { decodeWrites } from '../../lib/queue/records.ts';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { UnusableDatabase } from '../../lib/sqlite/database.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { type EngineFiles, openEngineFiles } from '../../local/engine-files.ts';
import type { Random } from '../../tools/statistics/random.ts';
import { contents } from '../support/histories/writes.ts';

/** The result of a start on damaged files. `wrong` is a fault that the start did not notice. */
export type Outcome = 'refused' | 'right' | `wrong: ${string}`;

/** A chat, and the texts of its messages that were acknowledged. */
export interface Answered {
  chat: string;
  texts: Map<number, string>;
}

const writers = 4;
/** Milliseconds between two batches of a writer. */
const betweenMs = 30;

/** Writes batches to the chat until the signal, and records the acknowledged texts. */
export async function write({ chat, texts }: Answered, url: string, stop: AbortSignal): Promise<void> {
  const [, , token = '', , number] = chat.split('/');
  const written = new ChatSystem({ url, token, retryMs: 0 }).chat(Number(number));
  const writer = async (name: number) => {
    for (let i = 0; !stop.aborted; i++) {
      const bodies = Array.from({ length: 5 }, (_, n) => ({
        body: `text ${name}/${i}/${n} ${'of some length '.repeat(9)}`,
      }));
      try {
        for (const { number, body } of await written.sendAll(bodies)) texts.set(number, body);
        // Keeps the folder small, because it is copied many times.
        await passes(betweenMs);
      } catch (error) {
        // The host was killed. A batch without a response does not count.
        expect(error).toMatchObject({ code: 'no_response' });
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, name) => writer(name)));
}

/** Inverts every bit of `bytes` consecutive bytes at a random position. */
export function flip(file: string, bytes: number, random: Random): void {
  const at = random.between(0, statSync(file).size - bytes);
  const descriptor = openSync(file, 'r+');
  const found = Buffer.alloc(bytes);
  readSync(descriptor, found, 0, bytes, at);
  writeSync(
    descriptor,
    found.map((byte) => byte ^ 0xff),
    0,
    bytes,
    at,
  );
}

/** Copies one of the databases of a data folder with its journal, in the order in which `cp` would. */
export function copyDatabase(from: string, to: string, name: 'ledger' | 'store'): void {
  for (const file of readdirSync(from).sort())
    if (file.startsWith(`${name}.`) && !file.endsWith('-shm')) copyFileSync(path.join(from, file), path.join(to, file));
}

const tokenAndChat = (chat: string): [token: string, chat: number] => {
  const [, , token = '', , number] = chat.split('/');
  return [token, Number(number)];
};

/** Stores everything in the queue, as the store worker does. */
async function storeAll({ queues, storeDatabase }: EngineFiles): Promise<void> {
  const store = new SqliteStore(storeDatabase);
  for (;;) {
    const deliveries = await queues.store.receive(50);
    if (deliveries.length === 0) return;
    await store.merge(deliveries.flatMap(({ body }) => decodeWrites(body)));
    await queues.store.acknowledge(deliveries.map(({ receipt }) => receipt));
  }
}

/**
 * Returns a fault of a chat: a missing or wrong text, or a number that is assigned twice. Undefined when there is none.
 *
 * @param all whether every text must exist
 */
async function faultIn(files: EngineFiles, answered: Answered, all: boolean): Promise<string | undefined> {
  const { texts } = answered;
  const [token, chat] = tokenAndChat(answered.chat);
  const { first: next } = await files.ledger.createMessages({ token, chat }, contents(['the next']));
  if (all && texts.has(next)) return `number ${next} was assigned before`;
  await storeAll(files);
  const rows = files.storeDatabase
    .prepare('SELECT number, body FROM messages WHERE token = ? AND chat = ? AND deleted = 0')
    .all(token, chat) as { number: number; body: string }[];
  const messages = new Map(rows.map(({ number, body }) => [number, body]));
  if (messages.get(next) !== 'the next') return `number ${next} is assigned twice`;
  const lost = [...texts.keys()].filter((number) => !messages.has(number));
  if (all && lost.length > 0) return `${lost.length} messages are gone, the first is ${lost[0]}`;
  const other = [...texts].find(([number, text]) => number !== next && (messages.get(number) ?? text) !== text);
  return other && `message ${other[0]} has another text`;
}

/** Repairs the files from each other, as `script/ops reconcile --repair` does. */
async function repair(dataDir: string): Promise<void> {
  const { storeDatabase, queues, ledger, markConsistent, close } = await openEngineFiles(dataDir, 'repair');
  const services = {
    ledger,
    store: new SqliteStore(storeDatabase),
    searchIndex: new SqliteSearchIndex(storeDatabase),
    storeQueue: queues.store,
    waitingWrites: queues.store,
  };
  for await (const _ of reconcile(services, { now: Date.now(), repair: true }));
  await markConsistent();
  await close();
}

/**
 * Opens damaged files as a start does. If that refuses, performs the repair that the refusal names and opens them
 * again.
 *
 * @param answered what must exist if the start does not refuse
 */
export async function outcomeOfStart(dataDir: string, answered: Answered): Promise<Outcome> {
  let files: EngineFiles;
  try {
    files = await openEngineFiles(dataDir);
  } catch (error) {
    expect(error).toBeInstanceOf(UnusableDatabase);
    const { message } = error as UnusableDatabase;
    expect(message, 'a refusal names the repair').toMatch(/reconcile --repair|from a backup\.|from one backup\./);
    if (message.includes('reconcile --repair')) {
      await repair(dataDir);
      const repaired = await openEngineFiles(dataDir);
      expect(await faultIn(repaired, answered, false), 'after the repair').toBeUndefined();
      await repaired.close();
    }
    return 'refused';
  }
  const fault = await faultIn(files, answered, true).catch((error: Error) => error.message);
  await files.close();
  return fault === undefined ? 'right' : `wrong: ${fault}`;
}
