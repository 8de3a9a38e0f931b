import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLedgerTable } from '../../lib/ledger/dynamodb/schema.ts';
import { DynamodbTable, text } from '../../lib/ledger/dynamodb/table.ts';
import { limits } from '../../lib/limits.ts';
import { newToken } from '../../lib/model/token.ts';
import { openOpensearch } from '../../lib/search/opensearch/client.ts';
import { OpensearchIndex } from '../../lib/search/opensearch/opensearch-index.ts';
import { MysqlStore, openMysql } from '../../lib/store/mysql/mysql-store.ts';
import { indexed, messageWrite } from '../support/histories/writes.ts';
import { awsClientSettings } from '../support/servers/aws-services.ts';
import { copyCheckout, project, removeCheckout, scriptStack } from '../support/servers/checkout.ts';

/** Returns the rows of the status by the name of their part. */
function rowsOf(status: string): Map<string, { state: string; address: string; pid: number }> {
  const rows = status
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ {2,}/));
  return new Map(
    rows.map(([name = '', state = '', address = '', pid]) => [name, { state, address, pid: Number(pid) }]),
  );
}

describe('this checkout’s stack', () => {
  const deployment = () => readFileSync(path.join(project, '.stack/deployment.json'), 'utf8');

  test('a second up is quick and changes nothing', async () => {
    const before = { status: await scriptStack(project, 'status'), deployment: deployment() };
    const began = Date.now();
    const { status, stdout } = await scriptStack(project, 'up');
    expect(status).toBe(0);
    expect(stdout).toContain('The deployed code is up to date');
    // It takes a second or two, but other tests run at the same time.
    expect(Date.now() - began).toBeLessThan(15_000);
    expect({ status: await scriptStack(project, 'status'), deployment: deployment() }).toEqual(before);
  });

  test('url prints only the base URL, and the API responds there', async () => {
    const { status, stdout, stderr } = await scriptStack(project, 'url');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^http:\/\/\S+\/v1\n$/);
    expect((await fetch(`${stdout.trim()}/health`)).status).toBe(200);
  });

  test('status reports that everything runs', async () => {
    const { status, stdout } = await scriptStack(project, 'status');
    expect(status).toBe(0);
    expect([...rowsOf(stdout).values()].map(({ state }) => state)).toEqual([
      'running',
      'running',
      'running',
      'running',
    ]);
  });

  test('logs prints the functions’ logs', async () => {
    const { status, stdout } = await scriptStack(project, 'logs', 'functions', '--lines', '2000');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d{4}-\S+ \w+ │ REPORT RequestId/m);
    expect(stdout).not.toContain('DeprecationWarning');
  });
});

describe('a second checkout', () => {
  let checkout: string;
  const stack = (...args: string[]) => scriptStack(checkout, ...args);
  const rows = async () => rowsOf((await stack('status')).stdout);

  beforeAll(async () => {
    checkout = copyCheckout();
  });
  afterAll(async () => {
    await stack('down', '--delete-data', '--yes');
    removeCheckout(checkout);
  });

  test('before the first up of a checkout, url and status ask for an up, and down succeeds', async () => {
    expect(await stack('url')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('script/stack up'),
    });
    expect(await stack('status')).toMatchObject({ status: 3, stderr: expect.stringContaining('script/stack up') });
    expect(await stack('down')).toMatchObject({ status: 0 });
  });

  test('an up with a port in use names the port and starts nothing', async () => {
    const own = rowsOf((await scriptStack(project, 'status')).stdout);
    const [sql] = [...own.values()].filter(({ address }) => address.startsWith('mysql:'));
    const port = new URL(sql?.address ?? '').port;
    const { status, stderr } = await stack('--provider', 'native', '--mysql-port', port, 'up', '--services-only');
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`Port ${port}.*--mysql-port`));
    expect(await stack('status')).toMatchObject({ status: 3, stderr: expect.stringContaining('Nothing is up') });
  });

  test('a second checkout has its own servers, and up restarts a killed one with its data and leaves the others running', async () => {
    const first = await stack('--provider', 'native', 'up', '--services-only');
    expect(first).toMatchObject({ status: 0 });
    const before = await rows();
    const own = rowsOf((await scriptStack(project, 'status')).stdout);
    for (const [name, { address }] of before) if (name !== 'api') expect(address).not.toBe(own.get(name)?.address);

    process.kill(before.get('mariadb')?.pid as number, 'SIGKILL');
    await expect.poll(async () => (await stack('status')).status).toBe(3);
    expect((await rows()).get('mariadb')?.state).toBe('stopped');

    expect(await stack('up', '--services-only')).toMatchObject({ status: 0 });
    const after = await rows();
    expect(after.get('mariadb')).toMatchObject({ state: 'running', address: before.get('mariadb')?.address });
    expect(after.get('mariadb')?.pid).not.toBe(before.get('mariadb')?.pid);
    for (const name of ['ministack', 'opensearch']) expect(after.get(name)).toEqual(before.get(name));
  });

  test('down stops only the servers of its checkout, and the next up finds all data', async () => {
    const token = newToken();
    const message = { token, chat: 1, number: 1, ...indexed('kept'), createdAt: 1, updatedAt: 1 };
    await onServers(async (store, index, ledger) => {
      await store.merge([messageWrite(token, 1, 1, { body: 'kept' })]);
      await index.index([message]);
      await ledger.insert({ pk: text(token), sk: text('kept') });
    });

    expect(await stack('down')).toMatchObject({ status: 0 });
    expect((await stack('status')).status).toBe(3);
    expect((await scriptStack(project, 'status')).status).toBe(0);

    expect(await stack('up', '--services-only')).toMatchObject({ status: 0 });
    await onServers(async (store, index, ledger) => {
      expect(await store.message(token, 1, 1)).toMatchObject({ content: { body: 'kept' } });
      const found = () => index.search({ token, q: 'kep', limit: 1 });
      await expect.poll(found).toMatchObject({ matches: [{ content: { body: 'kept' } }] });
      expect(await ledger.get([{ pk: token, sk: 'kept' }])).not.toEqual([undefined]);
    });
  });

  async function onServers(work: (store: MysqlStore, index: OpensearchIndex, ledger: DynamodbTable) => Promise<void>) {
    const { ports, mysqlPassword } = JSON.parse(readFileSync(path.join(checkout, '.stack/settings.json'), 'utf8'));
    const db = openMysql(`mysql://chat:${mysqlPassword}@127.0.0.1:${ports.mysql}/chat`, {
      connections: 1,
      timeouts: limits.sqlMs.work,
    });
    const search = openOpensearch(`http://127.0.0.1:${ports.opensearch}`);
    const dynamodb = new DynamoDBClient({ ...awsClientSettings, endpoint: `http://127.0.0.1:${ports.aws}` });
    await createLedgerTable(dynamodb, 'kept');
    await work(new MysqlStore(db), new OpensearchIndex(search), new DynamodbTable(dynamodb, 'kept'));
    await db.destroy();
    await search.close();
  }
});
