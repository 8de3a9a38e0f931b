import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { newToken } from '../../lib/model/token.ts';
import { openEngineFiles } from '../../local/engine-files.ts';
import { type Chat, Client, type Message, type MessagePage } from '../support/client/client.ts';
import { numbers } from '../support/histories/writes.ts';
import { counted, deployment, settled } from '../support/servers/deployment.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { startHost } from '../support/servers/host.ts';
import { ops, startOps } from '../support/servers/ops.ts';

// Tests script/ops on the deployed stack. The commands themselves are tested on the embedded engine and by the
// contracts.

const onStack = (...args: string[]) => ops('--stack', ...args);

test('an application can be exported from one engine, imported into the other, and moved back', async () => {
  const api = await deployment();
  const chat = await api.newChat();
  const [application, token] = [chat.replace(/\/chats\/.*/, ''), chat.split('/')[2] as string];
  await api.send(chat, ...numbers(1, 50).map((i) => `moves ${i}`));
  await api.patch(`${chat}/messages/2`, { body: 'moves, edited' });
  await api.delete(`${chat}/messages/3`);
  const bodies = async (client: Client) => (await client.all<Message>(`${chat}/messages`)).map(({ body }) => body);
  await expect.poll(async () => (await bodies(api)).length, settled).toBe(49);
  await expect.poll(async () => (await bodies(api))[1], settled).toBe('moves, edited');
  const before = await bodies(api);

  const exported = await onStack('export', token);
  expect([exported.status, exported.stderr]).toEqual([0, expect.stringContaining('50 messages exported')]);
  const file = path.join(dataFolder(), 'app.ndjson');
  writeFileSync(file, exported.stdout);
  const here = dataFolder();
  await (await openEngineFiles(here)).close();
  expect(await ops('--data-dir', here, 'import', file)).toMatchObject({ status: 0 });
  const host = await hostOf(startHost(here));
  const client = await Client.connect(host.url);
  await expect.poll(() => bodies(client).catch(() => []), settled).toEqual(before);
  expect(await client.send(chat, 'written here')).toEqual([51]);
  await expect.poll(async () => (await bodies(client)).at(-1), settled).toBe('written here');
  await host.stop();

  const back = (await ops('--data-dir', here, 'export', token)).stdout;
  const imported = await startOps(['--stack', 'import', '-'], { input: back }).ended;
  expect(imported).toMatchObject({ status: 0, stdout: expect.stringContaining('50 messages, 1 deleted') });
  await expect.poll(async () => (await bodies(api)).at(-1), settled).toBe('written here');
  expect(await api.send(chat, 'and on')).toEqual([52]);
  expect((await api.get<Chat>(`${application}/chats/1`)).status).toBe(200);
});

test('a number without a line in the imported file is neither pending nor counted', async () => {
  const api = await deployment();
  const token = newToken();
  const parent = { revision: 0, created_at: '2017-11-30T23:52:30+01:00', updated_at: '2017-11-30T23:52:30Z' };
  const lines = [
    { kind: 'archive', format: 1 },
    { kind: 'application', token, name: 'Slack', ...parent, highest: 2 },
    { kind: 'chat', number: 2, name: null, deleted: false, ...parent, highest: 3_000 },
    { kind: 'message', chat: 2, number: 2, body: 'two', ...parent },
    { kind: 'end', chats: 1, messages: 1, deleted_messages: 0 },
  ].map((line) => JSON.stringify(line));
  expect(await startOps(['--stack', 'import', '-'], { input: lines.join('\n') }).ended).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('3,000 numbers without a line became void; the first is chat 1.'),
  });
  const chat = `/applications/${token}/chats/2`;
  const list = async () => (await api.get<MessagePage>(`${chat}/messages?limit=1000`)).body;
  await expect.poll(async () => (await list()).data?.map(({ number }) => number), settled).toEqual([2]);
  await expect.poll(async () => (await list()).pending, settled).toEqual([]);
  for (const number of [1, 3, 3_000])
    expect((await api.get(`${chat}/messages/${number}`)).body).toMatchObject({ code: 'message_not_found' });
  await expect.poll(async () => (await api.get<Chat>(chat)).body.messages_count, counted).toBe(1);
  expect(await api.send(chat, 'next')).toEqual([3_001]);
});

test('reconcile can compare one application, and prints its progress', async () => {
  const api = await deployment();
  const chat = await api.newChat();
  await api.send(chat, 'one', 'two');
  const token = chat.split('/')[2] as string;
  const reconciled = () => onStack('reconcile', token);
  // Waits until the accepted messages are stored. Unreadable dead letters of other tests are reported too.
  const differences = async () => {
    const { stdout, stderr } = await reconciled();
    return [...stdout.split('\n').filter((line) => !line.startsWith('unreadable dead letter')), stderr];
  };
  await expect
    .poll(differences, { timeout: 60_000 })
    .toEqual([expect.stringMatching(/^2 messages compared: /), '', expect.any(String)]);
});

test('dead letters of the stack are listed, and a dry run says what a redrive would do', async () => {
  const before = await onStack('dead-letters', 'list', '--json');
  expect(before.status).toBe(0);
  const dry = await onStack('dead-letters', 'redrive', '--dry-run');
  expect(dry).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^store: \d+ dead letters? would be sent back\nsearch: \d+/),
  });
  expect(await onStack('reindex', '--dry-run')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(
      /^Would build messages-\d+ to replace messages-\d+: about [\d,]+ messages to copy\.\n$/,
    ),
  });
});

test('missing variables are named in one line', async () => {
  const { status, stderr } = await startOps(['--aws', 'dead-letters', 'list'], { env: { LEDGER_TABLE: '' } }).ended;
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^environment variable .*LEDGER_TABLE: .*SEARCH_DEAD_LETTER_QUEUE_URL.* docs\/operations\.md\.\n$/,
  );
});
