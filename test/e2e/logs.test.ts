import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { logEvents } from '../../functions/runtime/observe/log.ts';
import { Client } from '../support/client/client.ts';
import { useEveryRoute } from '../support/client/every-route.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { type Host, startHost } from '../support/servers/host.ts';
import { Planted } from '../support/texts/planted.ts';

const settled = { timeout: 30_000, interval: 100 };
let planted: Planted;
let data: string;
const hosts: Host[] = [];

/** Starts a host with the most verbose log level. */
async function start(adminKey: string): Promise<Host> {
  const host = await hostOf(startHost(data, '--admin-key', adminKey, '--log-level', 'debug', '--rollup-seconds', '1'));
  hosts.push(host);
  return host;
}

/** Opens one of the host's database files in this process. */
function open(file: string): DatabaseSync {
  const database = new DatabaseSync(path.join(data, file), { timeout: 10_000 });
  onTestFinished(() => {
    if (database.isOpen) database.close();
  });
  return database;
}

const logs = () => hosts.map(({ stdout, stderr }) => stdout() + stderr()).join('\n');

beforeEach(() => {
  planted = new Planted();
  data = dataFolder();
  hosts.length = 0;
});

test('no log contains data that clients or operators entrust to the system, in success and in failure', async () => {
  const adminKey = planted.word('admin key');
  let host = await start(adminKey);
  let client = await Client.connect(host.url, adminKey);
  await client.post('/applications', { name: 'x' }, { 'x-api-key': planted.word('wrong admin key') });
  const application = await useEveryRoute(client, planted);
  const token = application.split('/')[2] as string;
  await host.stop();

  // Unprocessable records, as a newer version or a fault may have left them.
  const ledger = open('ledger.db');
  const message = { kind: 'message', token, chat: 1, number: 1, revision: 0, at: 0 };
  const malformed = [
    planted.text('no record'),
    JSON.stringify({ version: planted.word('version'), writes: [] }),
    JSON.stringify({ version: 1, writes: [{ ...message, body: { [planted.word('member')]: 1 } }] }),
  ];
  const ofNewerVersion = JSON.stringify({ version: 1, writes: [{ kind: planted.word('kind'), token }] });
  const insert = ledger.prepare('INSERT INTO queue_messages (queue, visible_at, body) VALUES (?, 0, ?)');
  for (const queue of ['store', 'search']) for (const body of malformed) insert.run(queue, body);
  insert.run('store', ofNewerVersion);
  ledger.close();
  host = await start(adminKey);
  client = await Client.connect(host.url, adminKey);
  const logged = (text: string) => logs().split(text).length - 1;
  await expect.poll(() => logged('a record was moved to the dead letters'), settled).toBe(2 * malformed.length);
  await expect.poll(() => logged(logEvents.unknownRecord), settled).toBeGreaterThan(0);

  // A database that refuses a write with an error that quotes it, and then loses tables.
  const store = open('store.db');
  store.exec(`CREATE TRIGGER quoting BEFORE UPDATE ON messages WHEN NEW.body LIKE 'refusedbody%'
    BEGIN SELECT RAISE(ABORT, 'refused ' || NEW.token || ' ' || NEW.body); END`);
  await client.patch(`${application}/chats/1/messages/1`, { body: planted.text('refused body') });
  await expect.poll(logs, settled).toContain('a batch failed');
  for (const table of ['chats', 'rollup_marks']) store.exec(`ALTER TABLE ${table} RENAME TO ${table}_elsewhere`);
  expect(await client.get(`${application}/chats/1?${planted.word('parameter')}=1`)).toMatchObject({ status: 500 });
  expect(logs()).toContain('a request failed with an unexpected error');

  await expect.poll(logs, settled).toContain('a scheduled run failed');
  expect(logs()).toMatch(/"level":"DEBUG","message":"a response was sent"/);
  expect(planted.readableIn(logs())).toEqual([]);
});

test('one request id appears in the logs of every stage, from the response to the search index', async () => {
  const host = await start('key');
  const client = await Client.connect(host.url, 'key');
  const chat = await client.newChat();
  const ids = ['x-request-id', 'x-correlation-id', 'x-amzn-requestid'].map((name) => [name, 'a-forged-id']);
  const created = await client.post(`${chat}/messages`, { body: 'z' }, Object.fromEntries(ids));
  const id = created.headers.get('x-request-id') as string;
  const told = () =>
    logs()
      .split('\n')
      .filter((line) => line.includes(id))
      .map((line) => JSON.parse(line).message);
  await expect.poll(told, settled).toEqual(['a response was sent', 'a batch was stored', 'a batch was indexed']);
  expect(logs()).not.toContain('forged');
});
