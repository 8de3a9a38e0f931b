import { statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { SqliteReindexing } from '../../lib/search/sqlite/reindex.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { openEngineFiles } from '../../local/engine-files.ts';
import { applicationWrite, chatWrite, deletionWrite, indexed, messageWrites } from '../support/histories/writes.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { startHost } from '../support/servers/host.ts';
import { ops, startOps } from '../support/servers/ops.ts';

const token = 'Q2lDXdH2R2GfSqkhVYzhGg';

/**
 * A data folder with this number of messages in the store, and an index with only one message, which is deleted by now.
 */
async function folderToReindex(messages = 3_500) {
  const dataDir = dataFolder();
  const files = await openEngineFiles(dataDir);
  const store = new SqliteStore(files.storeDatabase);
  await store.merge([
    applicationWrite(token),
    chatWrite(token, 1),
    ...messageWrites(token, 1, 1, messages),
    deletionWrite(token, 1, 7),
  ]);
  const entry = { token, name: 'one', metadata: null, revision: 0, deleted: false, createdAt: 1, updatedAt: 1 };
  await files.ledger.restore({ ...entry, highest: 1 });
  await files.ledger.restore({ ...entry, chat: 1, highest: 3_000 });
  const stray = {
    token,
    chat: 1,
    number: 7,
    ...indexed('message that nobody has'),
    createdAt: 1,
    updatedAt: 1,
  };
  await new SqliteSearchIndex(files.storeDatabase).index([stray]);
  await files.close();
  return dataDir;
}

async function totals(dataDir: string) {
  const files = await openEngineFiles(dataDir);
  const index = new SqliteSearchIndex(files.storeDatabase);
  const total = async (q: string) => (await index.search({ token, q, limit: 1 })).total;
  const found = [await total('message'), await total('nobody'), await total('s')];
  await files.close();
  return found;
}

test('reindex rebuilds the index of a stopped system, and a dry run says what it would do', async () => {
  const dataDir = await folderToReindex();
  const dry = await ops('--data-dir', dataDir, 'reindex', '--dry-run');
  expect(dry.stdout).toBe('Would rebuild the index in place: about 3,500 messages to copy.\n');
  expect(await totals(dataDir)).toEqual([1, 1, 1]);
  const { status, stdout } = await ops('--data-dir', dataDir, 'reindex');
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^the index is complete \([\d.]+ s\)\n$/)]);
  expect(await totals(dataDir)).toEqual([3_499, 0, 3_499]);
});

test('an interrupted reindex prevents the system from starting, and continues when it is run again', async () => {
  const dataDir = await folderToReindex();
  const files = await openEngineFiles(dataDir);
  const store = new SqliteStore(files.storeDatabase);
  const index = new SqliteSearchIndex(files.storeDatabase);
  let steps = 0;
  for await (const _ of new SqliteReindexing(files.storeDatabase, store, index).run()) if (++steps === 2) break;
  await files.close();

  const refused = hostOf(startHost(dataDir));
  await expect(refused).rejects.toThrow(
    /status 1: The database .*store\.db has an unfinished search index; run script\/ops reindex to finish it\.\n$/,
  );

  const dry = await ops('--data-dir', dataDir, 'reindex', '--dry-run');
  expect(dry.stdout).toBe(
    'Would continue rebuilding the index, which has 2000 messages so far: about 1,500 messages to copy.\n',
  );
  expect(await ops('--data-dir', dataDir, 'reindex', '--abort')).toMatchObject({
    status: 1,
    stderr:
      'The previous index was already emptied, so the rebuild cannot be aborted. Run script/ops reindex again to continue it.\n',
  });
  expect(await ops('--data-dir', dataDir, 'reindex')).toMatchObject({ status: 0 });
  expect(await totals(dataDir)).toEqual([3_499, 0, 3_499]);
  await hostOf(startHost(dataDir));
});

test('reindex stops after the current step on Ctrl-C, and says how to continue', async () => {
  const dataDir = await folderToReindex(40_000);
  const written = () => statSync(path.join(dataDir, 'store.db-wal'), { throwIfNoEntry: false })?.size ?? 0;
  const before = written();
  const run = startOps(['--data-dir', dataDir, 'reindex']);
  await expect.poll(written, { timeout: 20_000, interval: 5 }).toBeGreaterThan(before + 200_000);
  run.kill('SIGINT');
  const { status, stderr } = await run.ended;
  expect([status, stderr]).toEqual([
    130,
    expect.stringMatching(/^Stopped\. Run the same command again to continue\.$/m),
  ]);
  const dry = await ops('--data-dir', dataDir, 'reindex', '--dry-run');
  expect(dry.stdout).toMatch(/^Would continue rebuilding the index, which has \d+000 messages so far/);
});

test('reconcile names every difference with status 1, and repairs them only with --repair', async () => {
  const dataDir = await folderToReindex();
  const named = await ops('--data-dir', dataDir, 'reconcile');
  expect(named.status).toBe(1);
  expect(named.stdout).toMatch(/^counter too low Q2lDXd…\/1 \(counter 3000, highest 3500\)$/m);
  expect(named.stdout).toMatch(/^not in index Q2lDXd…\/1\/3000 \(lacking everything\)$/m);
  expect(named.stdout).not.toContain(token);
  expect(await totals(dataDir)).toEqual([1, 1, 1]);

  const repaired = await ops('--data-dir', dataDir, 'reconcile', token, '--repair', '--json');
  const lines = repaired.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toContainEqual({
    kind: 'not in index',
    token,
    chat: 1,
    number: 3_500,
    lacking: 'everything',
    repaired: true,
  });

  const after = await ops('--data-dir', dataDir, 'reconcile');
  expect(after.stdout).not.toMatch(/not in index|counter too low/);
  expect(await totals(dataDir)).toEqual([3_499, 0, 3_499]);
});
