import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { perQueueService, type QueueName, queueNames } from '../../functions/queues.ts';
import type { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import { backUp } from '../../local/backup.ts';
import { checkWhole, openEngineFiles } from '../../local/engine-files.ts';
import { EventSource } from '../../local/event-source.ts';
import { lambdaContext } from '../../local/lambda-events.ts';
import { makeWorkers } from '../../local/workers.ts';
import { openEmbedded } from '../../tools/ops/embedded-services.ts';
import { reconcileAll } from '../../tools/ops/reconcile.ts';
import { Random } from '../../tools/statistics/random.ts';
import { fileHashes } from '../support/basics/folder.ts';
import { Client, type Message } from '../support/client/client.ts';
import { settled } from '../support/servers/deployment.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { startHost } from '../support/servers/host.ts';
import { ops } from '../support/servers/ops.ts';
import { count } from './data-files.ts';
import { Writers } from './writers.ts';

// The number of backups in a normal run of the tests; `npm run test:backups` makes 20.
const backups = Number(process.env.BACKUPS ?? 4);
const clients = 8;
/** The files of a backup. */
const files = ['ledger.db', 'ledger.mark', 'store.db', 'system-secret'];

/** Restores a backup, lets the workers empty its queues, and returns how many differences reconcile finds then. */
async function differencesIn(backup: string): Promise<number> {
  const copy = dataFolder();
  cpSync(backup, copy, { recursive: true });
  const services = await openEmbedded(copy, {});
  const queues = services.queues as Record<QueueName, SqliteQueue>;
  const workers = await makeWorkers({ ...services, ...perQueueService((name) => queues[name]) });
  const sources = queueNames.map(
    (name) => new EventSource(name, queues[name], (event) => workers[name](event, lambdaContext(name)), 50),
  );
  try {
    for (const source of sources) source.start();
    const waiting = () => queueNames.filter((name) => queues[name].nextInMs() !== undefined);
    await expect.poll(waiting, { timeout: 20_000, interval: 5 }).toEqual([]);
    await Promise.all(sources.map((source) => source.stop()));
    expect(await queues.store.deadLetterCount(), 'no dead letters').toBe(0);
    const never = { isWanted: async () => false, abortSignal: new AbortController().signal };
    return await reconcileAll(services, undefined, { json: true }, never);
  } finally {
    await services.close();
  }
}

test(`${backups} backups of a system under load are consistent, and have everything that was accepted before each began`, async () => {
  const dataDir = dataFolder();
  const target = dataFolder();
  const host = await hostOf(startHost(dataDir, '--log-level', 'error'));
  const client = await Client.connect(host.url);
  const writers = await Writers.on(client, new Random(19));
  const chat = await client.newChat();
  const accepted: number[] = [];
  const stop = { now: false };
  const writing = writers.write(clients, stop);
  let before = 0;
  for (let i = 1; i <= backups; i++) {
    const { body: last } = await client.post<Message>(`${chat}/messages`, { body: `before backup ${i}` });
    accepted.push(last.number);
    const { status, stdout, stderr } = await ops('--data-dir', dataDir, 'backup', path.join(target, String(i)));
    expect([status, stdout, stderr]).toEqual([0, '', '']);
    const texts = writers.texts;
    expect(texts, 'the writers went on').toBeGreaterThan(before);
    before = texts;
  }
  stop.now = true;
  await writing;

  expect(readdirSync(target).sort()).toEqual(Array.from({ length: backups }, (_, i) => String(i + 1)).sort());
  for (let i = 1; i <= backups; i++) {
    const backup = path.join(target, String(i));
    expect(readdirSync(backup).sort()).toEqual(files);
    const number = accepted[i - 1] ?? 0;
    const counter = 'SELECT messages AS count FROM chats WHERE token = ? AND number = ?';
    const [, , token = '', , chatNumber = ''] = chat.split('/');
    expect(count(backup, 'ledger.db', counter, token, Number(chatNumber))).toBe(number);
    expect(await differencesIn(backup), `backup ${i}`).toBe(0);
  }

  // A whole restore, of the last backup.
  const restored = dataFolder();
  cpSync(path.join(target, String(backups)), restored, { recursive: true });
  const again = await Client.connect((await hostOf(startHost(restored))).url);
  const bodies = async () => (await again.all<Message>(`${chat}/messages`)).map(({ body }) => body);
  await expect.poll(bodies, settled).toEqual(accepted.map((_, i) => `before backup ${i + 1}`));
});

/** A stopped data folder with an application and a chat. */
async function smallFolder(): Promise<string> {
  const dataDir = dataFolder();
  const opened = await openEngineFiles(dataDir);
  const { token } = await opened.ledger.createApplication('One');
  await opened.ledger.createChat(token, { name: null, metadata: null });
  await opened.close();
  writeFileSync(path.join(dataDir, 'system-secret'), 'A'.repeat(43), { mode: 0o600 });
  return dataDir;
}

test('a backup can be read by its owner only, has the system secret, and is refused where something exists already', async () => {
  const dataDir = await smallFolder();
  const folder = path.join(dataFolder(), 'backup');
  const made = await ops('--data-dir', dataDir, 'backup', folder);
  expect(made).toEqual({ status: 0, stdout: '', stderr: '' });
  const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);
  expect(modeOf(folder)).toBe('700');
  expect(Object.fromEntries(readdirSync(folder).map((name) => [name, modeOf(path.join(folder, name))]))).toEqual(
    Object.fromEntries(files.map((name) => [name, name === 'ledger.mark' ? expect.any(String) : '600'])),
  );
  expect(readFileSync(path.join(folder, 'system-secret'), 'utf8')).toBe('A'.repeat(43));

  const before = fileHashes(folder);
  const again = await ops('--data-dir', dataDir, 'backup', folder);
  expect(again).toEqual({ status: 1, stdout: '', stderr: `${folder} exists already; name a new folder.\n` });
  expect(fileHashes(folder)).toEqual(before);
});

test('a backup that fails or is stopped leaves nothing', async () => {
  const dataDir = await smallFolder();
  const target = dataFolder();
  const folder = path.join(target, 'backup');
  const stopped = () => {
    throw new Error('stopped');
  };
  await expect(backUp(dataDir, folder, stopped)).rejects.toThrow('stopped');
  expect(readdirSync(target)).toEqual([]);

  writeFileSync(path.join(dataDir, 'system-secret'), 'damaged');
  const failed = await ops('--data-dir', dataDir, 'backup', folder);
  expect(failed).toMatchObject({ status: 1, stderr: expect.stringContaining('system-secret is damaged') });
  expect(readdirSync(target)).toEqual([]);

  const nowhere = await ops('--data-dir', dataDir, 'backup', path.join(target, 'none', 'backup'));
  expect(nowhere).toMatchObject({ status: 1, stderr: expect.stringMatching(/^.*no such file or directory.*\n$/) });
});

test.each(['copying', 'checking'])(
  'a backup that is killed while it is %s leaves no folder of its name, and the next one can be made',
  async (kind) => {
    const dataDir = await smallFolder();
    const target = dataFolder();
    const folder = path.join(target, 'backup');
    const module = path.resolve(import.meta.dirname, '../../local/backup.ts');
    const program = `
    import { backUp } from ${JSON.stringify(module)};
    const [dataDir, folder, kind] = process.argv.slice(1);
    await backUp(dataDir, folder, (step) => {
      if (step.kind === kind) process.kill(process.pid, 'SIGKILL');
    });`;
    const args = ['--input-type=module', '-e', program, dataDir, folder, kind];
    expect(spawnSync(process.execPath, args).signal).toBe('SIGKILL');
    expect(readdirSync(target)).toEqual([expect.stringMatching(/^\.backup\.unfinished-/)]);
    expect(await ops('--data-dir', dataDir, 'backup', folder)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(checkWhole(folder).ledger.holds).toBe('data');
  },
);

test('a backup of a folder that the next start would refuse fails with the same reason, and a backup of the other engine is wrong usage', async () => {
  const dataDir = await smallFolder();
  const target = dataFolder();
  const mark = path.join(dataDir, 'ledger.mark');
  writeFileSync(mark, readFileSync(mark, 'utf8').replace(/ -?\d+ *\n/, ` ${'999'.padEnd(11)}\n`));
  const refused = await ops('--data-dir', dataDir, 'backup', path.join(target, 'backup'));
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('ledger.db has lost its last commits') });
  expect(readdirSync(target)).toEqual([]);
  expect((await ops('--data-dir', target, 'backup', path.join(target, 'x'))).stderr).toContain('does not contain');
  expect(await ops('--stack', 'backup', path.join(target, 'x'))).toMatchObject({ status: 2 });
});

test('commands that change nothing work beside a running host, and commands that write are refused', async () => {
  const dataDir = dataFolder();
  const host = await hostOf(startHost(dataDir));
  const client = await Client.connect(host.url);
  const chat = await client.newChat();
  const token = chat.split('/')[2] ?? '';
  await client.send(chat, 'one', 'two');
  await expect.poll(async () => (await client.get(`${chat}/messages/2`)).status, settled).toBe(200);
  const onFolder = (...args: string[]) => ops('--data-dir', dataDir, ...args);

  expect(await onFolder('dead-letters', 'list')).toMatchObject({ status: 0, stdout: 'No dead letters.\n' });
  expect(await onFolder('dead-letters', 'redrive', '--dry-run')).toMatchObject({ status: 0 });
  expect((await onFolder('export', token)).stdout).toContain('"body":"two"');
  await expect
    .poll(async () => (await onFolder('reconcile')).stdout, settled)
    .toMatch('2 messages compared: no differ');
  expect((await onFolder('reindex', '--dry-run')).stdout).toContain('about 2 messages to copy');
  for (const args of [['dead-letters', 'redrive'], ['reconcile', '--repair'], ['reindex']])
    expect(await onFolder(...args)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^A chat system is running on .*: stop it .*\n$/),
    });
  await client.send(chat, 'three');
  await expect.poll(async () => (await client.get(`${chat}/messages/3`)).status, settled).toBe(200);
  expect(await host.stop()).toBe(0);
});
