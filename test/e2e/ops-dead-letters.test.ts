import { expect, test } from 'vitest';
import { encodeChanges, encodeWrites } from '../../lib/queue/records.ts';
import { openEngineFiles } from '../../local/engine-files.ts';
import { fileHashes } from '../support/basics/folder.ts';
import { type Application, Client } from '../support/client/client.ts';
import { applicationWrite, messageWrites } from '../support/histories/writes.ts';
import { settled } from '../support/servers/deployment.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { startHost } from '../support/servers/host.ts';
import { ops } from '../support/servers/ops.ts';

const token = 'Q2lDXdH2R2GfSqkhVYzhGg';

/** A data folder with dead letters: three of the store queue, one of them unreadable, and one of the search queue. */
async function folderWithDeadLetters(): Promise<string> {
  const dataDir = dataFolder();
  const files = await openEngineFiles(dataDir);
  await files.queues.store.addDeadLetters([
    { body: encodeWrites([applicationWrite(token, { name: 'from the dead' })]), reason: 'ER_ONE' },
    { body: encodeWrites(messageWrites(token, 2, 7, 9)), reason: 'ER_TWO' },
    { body: 'secret, and no record', reason: 'not JSON' },
  ]);
  await files.queues.search.addDeadLetters([
    { body: encodeChanges([{ token, chat: 2, number: 7 }]), reason: 'refused' },
  ]);
  await files.close();
  return dataDir;
}

test('dead letters are listed with what they are about, without their content', async () => {
  const dataDir = await folderWithDeadLetters();
  const { status, stdout } = await ops('--data-dir', dataDir, 'dead-letters', 'list');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^queue +age +reason +about\n/);
  expect(stdout).toMatch(/^store +\d+ s +ER_ONE +application in Q2lDXd…$/m);
  expect(stdout).toMatch(/^store +\d+ s +ER_TWO +message of chat 2 in Q2lDXd…: 7–9$/m);
  expect(stdout).toMatch(/^store +\d+ s +not JSON +unreadable, 21 characters$/m);
  expect(stdout).toMatch(/^search +\d+ s +refused +changed message of chat 2 in Q2lDXd…: 7$/m);
  expect(stdout).toMatch(/^4 of 4 dead letters\.$/m);
  for (const secret of [token, 'secret', 'from the dead']) expect(stdout).not.toContain(secret);

  const shown = await ops('--data-dir', dataDir, 'dead-letters', 'list', 'store', '--json', '--show', '--limit', '2');
  const lines = shown.stdout.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { queue: 'store', reason: 'ER_ONE', at: expect.stringMatching(/^\d{4}-/), body: expect.stringContaining(token) },
    { queue: 'store', reason: 'ER_TWO' },
  ]);
});

test('redriven dead letters are processed at the next start, and a dry run changes nothing', async () => {
  const dataDir = await folderWithDeadLetters();
  const before = fileHashes(dataDir);
  const dry = await ops('--data-dir', dataDir, 'dead-letters', 'redrive', '--dry-run');
  expect(dry).toMatchObject({ status: 0, stdout: expect.stringContaining('store: 3 dead letters would be sent back') });
  expect(fileHashes(dataDir)?.['ledger.db']).toBe(before?.['ledger.db']);

  const run = await ops('--data-dir', dataDir, 'dead-letters', 'redrive', 'store');
  expect(run).toMatchObject({ status: 0, stdout: 'store: 3 dead letters sent back\n' });
  const host = await hostOf(startHost(dataDir));
  const client = await Client.connect(host.url);
  const stored = async () => (await client.all<Application>('/applications')).map(({ name }) => name);
  await expect.poll(stored, settled).toEqual(['from the dead']);
  await host.stop();

  // The unreadable one became a dead letter again. The one of the search queue was not redriven.
  const after = await ops('--data-dir', dataDir, 'dead-letters', 'list');
  expect(after.stdout).toMatch(/^2 of 2 dead letters\.$/m);
  expect(after.stdout).toContain('unreadable');
  expect(after.stdout).toContain('refused');
  expect((await ops('--data-dir', dataDir, 'dead-letters', 'redrive', 'search')).status).toBe(0);
});

test('dead-letter commands on a running host or without data say in one line what to do', async () => {
  const dataDir = dataFolder();
  const none = await ops('--data-dir', dataDir, 'dead-letters', 'list');
  expect(none).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^.* --data-dir\.\n$/) });
  expect(fileHashes(dataDir)).toEqual({});
  await hostOf(startHost(dataDir));
  const { status, stdout, stderr } = await ops('--data-dir', dataDir, 'dead-letters', 'redrive');
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^A chat system is running on .*: stop it .*\n$/);
});

test('a wrong usage is reported in one line with status 2', async () => {
  for (const args of [
    ['dead-letters', 'list', 'neither'],
    ['dead-letters', 'list', '--limit', 'x'],
    ['unknown'],
    ['--stack', '--aws', 'dead-letters', 'list'],
  ]) {
    const { status, stderr } = await ops(...args);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^.+\n$/)]);
  }
  const help = await ops('dead-letters', 'redrive', '--help');
  expect(help).toMatchObject({ status: 0, stdout: expect.stringContaining('Examples:') });
});
