import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { Random } from '../../tools/statistics/random.ts';
import { Client } from '../support/client/client.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { launch, newDataDir, removeDataDir, startHost } from '../support/servers/host.ts';
import { ops } from '../support/servers/ops.ts';
import { type Answered, copyDatabase, flip, type Outcome, outcomeOfStart, write } from './damage.ts';

/** Number of attempts for each kind of damage. The table in docs/guarantees.md was measured with DAMAGE_TRIES=30. */
const tries = Number(process.env.DAMAGE_TRIES ?? 1);
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const random = new Random(seed);
const longest = 30_000 + tries * 10_000;
console.log(`damage: SEED=${seed} makes the same choices again`);

/**
 * Copies of one host's data folder, from an early moment and after a kill under load, and what the host had
 * acknowledged.
 */
const early = { folder: '' };
const killed: Answered & { folder: string } = { folder: '', chat: '', texts: new Map() };
/** Pairs of copies made under load: this database first, and the other one half a second later. */
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
  /** Waits half a second, in which more messages are accepted and stored. */
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

/** Damages `tries` copies of the killed folder and returns the outcome of a start on each. */
async function outcomesOf(damage: (folder: string) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let i = 0; i < tries; i++) {
    const folder = dataFolder();
    cpSync(killed.folder, folder, { recursive: true });
    damage(folder);
    outcomes.push(await outcomeOfStart(folder, killed));
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

test('the files of a host that was killed under load are accepted', async () => {
  const folder = dataFolder();
  cpSync(killed.folder, folder, { recursive: true });
  expect(await outcomeOfStart(folder, killed)).toBe('right');
});

test('a start on inconsistent files names the repair in one sentence, the repair works, and other commands refuse the files', async () => {
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

test('reconcile fails on files that the next start refuses, though it finds no difference, until they are repaired', async () => {
  const folder = dataFolder();
  const host = await hostOf(startHost(folder, '--log-level', 'silent'));
  const application = await (await Client.connect(host.url)).newApplication();
  await host.stop();
  const mark = path.join(folder, 'ledger.mark');
  const [id, commit] = readFileSync(mark, 'utf8').split(' ');
  writeFileSync(mark, `${id} ${Number(commit) + 1}\n`);

  const refusal = `The database ${folder}/ledger.db has lost its last commits`;
  const token = path.basename(application);
  for (const args of [['reconcile'], ['reconcile', '--repair', token]]) {
    const looked = await ops('--data-dir', folder, ...args);
    expect(looked.stdout).toContain('no differences');
    expect(looked.stderr).toContain(refusal);
    expect(looked.status).toBe(1);
  }
  const repaired = await ops('--data-dir', folder, 'reconcile', '--repair');
  expect(repaired.stdout).toContain('The data files are consistent now');
  expect(repaired.status).toBe(0);
  await hostOf(startHost(folder));
});

describe('databases copied at different moments are refused, and the repair that the refusal names works', () => {
  test.each([
    ['ledger', 'store'],
    ['store', 'ledger'],
  ] as const)(
    'a %s copied half a second before the %s is refused and can be repaired',
    async (first, _second) => {
      const outcomes: Outcome[] = [];
      for (const { folder, ...answered } of copied[first]) outcomes.push(await outcomeOfStart(folder, answered));
      expect(report(`${first} copied first`, outcomes)).toEqual([]);
      expect(outcomes).toContain('refused');
    },
    longest,
  );

  test.each(['ledger', 'store'] as const)(
    'a %s database from an older copy is refused and can be repaired',
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

describe('a start never ignores a damaged or lost journal', () => {
  test.each(['ledger.db-wal', 'store.db-wal'])(
    'a start notices that %s was removed after a kill',
    async (name) => {
      expect(report(`${name} removed`, await outcomesOf((folder) => rmSync(path.join(folder, name))))).toEqual([]);
    },
    longest,
  );

  test.each(['ledger.db-wal', 'store.db-wal'])(
    'a start notices that one byte of %s was flipped after a kill',
    async (name) => {
      const outcomes = await outcomesOf((folder) => flip(path.join(folder, name), 1, random));
      expect(report(`1 byte of ${name}`, outcomes)).toEqual([]);
    },
    longest,
  );
});

// SQLite has no page checksums, so damage to the bytes of a text goes unnoticed. The test only reports the
// outcomes, for the table in docs/guarantees.md.
if (tries > 1)
  test.each([
    ['ledger.db', 1],
    ['ledger.db', 64],
    ['store.db', 1],
    ['store.db', 64],
  ])(
    'damage of a database is reported: %s has %d flipped bytes',
    async (name, bytes) => {
      report(`${bytes} bytes of ${name}`, await outcomesOf((folder) => flip(path.join(folder, name), bytes, random)));
    },
    longest,
  );
