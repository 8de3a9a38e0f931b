import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { Random } from '../../tools/statistics/random.ts';
import { Client } from '../support/client/client.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { launch, newDataDir, removeDataDir, startHost } from '../support/servers/host.ts';
import { ops } from '../support/servers/ops.ts';
import { type Answered, copyDatabase, flip, judge, type Outcome, write } from './damage.ts';

/** How often each kind of damage is tried; the table of docs/guarantees.md is made with DAMAGE_TRIES=30. */
const tries = Number(process.env.DAMAGE_TRIES ?? 1);
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const random = new Random(seed);
const longest = 30_000 + tries * 10_000;
console.log(`damage: SEED=${seed} makes the same choices again`);

/** Copies of the data folder of one host: early on, and when it was killed under load; and what it had answered. */
const early = { folder: '' };
const killed: Answered & { folder: string } = { folder: '', chat: '', texts: new Map() };
/** Pairs of copies that were made under load: this database first, and half a second later the other one. */
const copied: Record<'ledger' | 'store', (Answered & { folder: string })[]> = { ledger: [], store: [] };

beforeAll(async () => {
  const source = newDataDir();
  const folders = [source];
  const newFolder = () => {
    const folder = newDataDir();
    folders.push(folder);
    return folder;
  };
  const host = await startHost(source, '--log-level', 'silent');
  const client = await Client.connect(host.url);
  killed.chat = await client.newChat(await client.newApplication());
  const stop = new AbortController();
  const writing = write(killed, host.url, stop.signal);
  /** Some more is accepted and stored, and half a second passes. */
  const goesOn = async () => {
    const before = killed.texts.size;
    await vi.waitFor(async () => {
      expect(killed.texts.size).toBeGreaterThan(before + 50);
      const stored = await fetch(`${host.url}${killed.chat}/messages/${before + 40}`);
      expect(stored.status).toBe(200);
    }, 20_000);
    await passes(500);
  };
  await goesOn();
  early.folder = newFolder();
  for (const name of ['store', 'ledger'] as const) copyDatabase(source, early.folder, name);
  for (let i = 0; i < tries; i++)
    for (const [first, second] of [
      ['ledger', 'store'],
      ['store', 'ledger'],
    ] as const) {
      const folder = newFolder();
      const texts = new Map(killed.texts);
      copyDatabase(source, folder, first);
      await goesOn();
      copyDatabase(source, folder, second);
      copied[first].push({ folder, chat: killed.chat, texts });
    }
  await host.stop('SIGKILL');
  stop.abort();
  await writing;
  killed.folder = source;
  return () => folders.forEach(removeDataDir);
}, longest);

/** Judges as many copies of the killed folder, damaged each. */
async function outcomesOf(damage: (folder: string) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let i = 0; i < tries; i++) {
    const folder = dataFolder();
    cpSync(killed.folder, folder, { recursive: true });
    damage(folder);
    outcomes.push(await judge(folder, killed));
  }
  return outcomes;
}

function report(what: string, outcomes: Outcome[]): string[] {
  const wrong = outcomes.filter((outcome) => outcome.startsWith('wrong'));
  const count = (outcome: Outcome) => outcomes.filter((each) => each === outcome).length;
  console.log(
    `${what}: ${count('refused')} refused, ${count('right')} right, ${wrong.length} wrong ${wrong.join('; ')}`,
  );
  return wrong;
}

test('files of a host that was killed under load are taken', async () => {
  const folder = dataFolder();
  cpSync(killed.folder, folder, { recursive: true });
  expect(await judge(folder, killed)).toBe('right');
});

test('a start says in one sentence how to repair files that do not agree; it works, and nothing else takes them', async () => {
  const folder = dataFolder();
  cpSync(killed.folder, folder, { recursive: true });
  rmSync(path.join(folder, 'ledger.db-wal'));
  const start = launch(['--port', '0', '--data-dir', folder]);
  expect(await start.ended).toBe(1);
  expect(start.stderr()).toMatch(
    new RegExp(`^The database ${folder}/ledger.db [^\\n]+ script/ops --data-dir ${folder} reconcile --repair\\.\\n$`),
  );
  expect((await ops('--data-dir', folder, 'dead-letters', 'list')).stderr).toBe(start.stderr());
  const looked = await ops('--data-dir', folder, 'reconcile');
  expect(looked.status).toBe(1);
  await ops('--data-dir', folder, 'reconcile', '--repair');
  const host = await hostOf(startHost(folder));
  expect((await fetch(`${host.url}${killed.chat}/messages`)).status).toBe(200);
});

describe('files of two moments are refused, and repaired by what the refusal names', () => {
  test.each([
    ['ledger', 'store'],
    ['store', 'ledger'],
  ] as const)(
    'the %s is a copy from half a second before the %s',
    async (first, _second) => {
      const outcomes: Outcome[] = [];
      for (const { folder, ...answered } of copied[first]) outcomes.push(await judge(folder, answered));
      expect(report(`${first} copied first`, outcomes)).toEqual([]);
      expect(outcomes).toContain('refused');
    },
    longest,
  );

  test.each(['ledger', 'store'] as const)(
    'the %s is an older one',
    async (name) => {
      const outcomes = await outcomesOf((folder) => {
        for (const file of [`${name}.db-wal`, `${name}.db-shm`]) rmSync(path.join(folder, file), { force: true });
        copyDatabase(early.folder, folder, name);
      });
      expect(report(`older ${name}`, outcomes)).toEqual([]);
      expect(outcomes).toContain('refused');
    },
    longest,
  );
});

describe('a journal that is damaged or lost is never passed over in silence', () => {
  test.each(['ledger.db-wal', 'store.db-wal'])(
    '%s is removed after a kill',
    async (name) => {
      expect(report(`${name} removed`, await outcomesOf((folder) => rmSync(path.join(folder, name))))).toEqual([]);
    },
    longest,
  );

  test.each(['ledger.db-wal', 'store.db-wal'])(
    'one byte of %s is flipped after a kill',
    async (name) => {
      const outcomes = await outcomesOf((folder) => flip(path.join(folder, name), 1, random));
      expect(report(`1 byte of ${name}`, outcomes)).toEqual([]);
    },
    longest,
  );
});

// SQLite has no checksums of pages: damage to the bytes of a text is not seen, so the table reports it and nothing is held.
if (tries > 1)
  test.each([
    ['ledger.db', 1],
    ['ledger.db', 64],
    ['store.db', 1],
    ['store.db', 64],
  ])(
    '%s has %d flipped bytes',
    async (name, bytes) => {
      report(`${bytes} bytes of ${name}`, await outcomesOf((folder) => flip(path.join(folder, name), bytes, random)));
    },
    longest,
  );
