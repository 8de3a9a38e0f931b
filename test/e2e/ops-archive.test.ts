import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { limits } from '../../lib/limits.ts';
import { openEngineFiles } from '../../local/engine-files.ts';
import { type Application, type Chat, Client, type Message } from '../support/client/client.ts';
import { chatNamed, contents, numbers } from '../support/histories/writes.ts';
import { settled } from '../support/servers/deployment.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { startHost } from '../support/servers/host.ts';
import { ops, startOps } from '../support/servers/ops.ts';

const hard = 'İß ς\u2028 "<&>\\ \uFFFE \u{1F469}\u200D\u{1F4BB} e\u0301';

/** A stopped system with an application that has stored edits, deletions, chats without a name and many messages. */
async function folderWithApplication() {
  const dataDir = dataFolder();
  const host = await hostOf(startHost(dataDir, '--rollup-seconds', '1'));
  const client = await Client.connect(host.url);
  const application = await client.newApplication('one');
  await client.patch(application, { name: `renamed ${hard}` });
  const [first, second, third] = [
    await client.newChat(application),
    await client.newChat(application),
    await client.newChat(application),
  ];
  await client.patch(first, { name: hard, metadata: { hard } });
  for (const _ of [1, 2]) await client.send(first, ...numbers(1, limits.batchSize).map((i) => `text ${i}`));
  await client.send(first, hard, 'deleted later', 'last');
  await client.post(`${third}/messages`, { sender: hard, body: hard, metadata: { hard, __proto__: null } });
  await client.patch(`${first}/messages/2`, { body: 'edited' });
  await client.patch(`${first}/messages/2`, { metadata: { n: [1, null, hard] } });
  await client.patch(`${first}/messages/2`, { body: `edited twice ${hard}` });
  await client.delete(`${first}/messages/2002`);
  await client.send(second, 'gone with its chat');
  await client.delete(second);
  const state = () => stateOf(client, application);
  await expect.poll(async () => (await client.get<Message>(`${first}/messages/2003`)).status, settled).toBe(200);
  await expect
    .poll(async () => (await client.get<Message>(`${first}/messages/2`)).body.body, settled)
    .toContain('twice');
  await expect.poll(async () => (await client.get<Chat>(third)).body.messages_count, settled).toBe(1);
  await expect
    .poll(async () => (await client.get(`${first}/messages/2002`)).body, settled)
    .toMatchObject({ code: 'message_not_found' });
  await expect.poll(async () => (await client.get<Chat>(first)).body.messages_count, settled).toBe(2_002);
  await expect.poll(async () => (await client.get<Application>(application)).body.chats_count, settled).toBe(2);
  const before = await state();
  await host.stop();
  return { dataDir, application, token: application.split('/').at(-1) as string, first, third, before };
}

/** Returns everything that a client sees of an application. */
async function stateOf(client: Client, application: string) {
  const { body } = await client.get<Application>(application);
  const chats = await client.all<Chat>(`${application}/chats`);
  const messages: Message[][] = [];
  for (const { number } of chats)
    messages.push(await client.all<Message>(`${application}/chats/${number}/messages?limit=1000`));
  return { application: body, chats, messages };
}

test('after an import, reconcile reports writes that wait for the store worker as waiting and not as differences', async () => {
  const dataDir = dataFolder();
  await (await openEngineFiles(dataDir)).close();
  const time = { revision: 0, created_at: '2026-11-21T09:30:00.000Z', updated_at: '2026-11-21T09:30:00.000Z' };
  const archive = [
    { kind: 'archive', format: 1 },
    { kind: 'application', token: 'Q2lDXdH2R2GfSqkhVYzhGg', name: 'one', ...time, highest: 1 },
    { kind: 'chat', number: 1, name: null, deleted: false, ...time, highest: 1 },
    { kind: 'message', chat: 1, number: 1, body: 'one', ...time },
    { kind: 'end', chats: 1, messages: 1, deleted_messages: 0 },
  ];
  const input = archive.map((line) => `${JSON.stringify(line)}\n`).join('');
  const imported = await startOps(['--data-dir', dataDir, 'import', '-'], { input }).ended;
  expect(imported.stdout).toBe('Imported 1 chat, 1 message, 0 deleted messages.\n');

  const { status, stdout } = await ops('--data-dir', dataDir, 'reconcile');
  expect([status, stdout]).toEqual([
    0,
    expect.stringMatching(
      /^\d messages? compared: 0 differences repaired, 0 left; \d writes? waiting for the store worker\.$/m,
    ),
  ]);
});

test('an exported application is imported complete into another system, and no number is assigned twice', async () => {
  const { dataDir, application, token, first, before } = await folderWithApplication();
  const file = path.join(dataFolder(), 'app.ndjson');
  const exported = await ops('--data-dir', dataDir, 'export', token, '--output', file);
  expect([exported.status, exported.stdout]).toEqual([0, '']);
  const text = readFileSync(file, 'utf8');
  // An export to standard output is the same.
  expect((await ops('--data-dir', dataDir, 'export', token)).stdout).toBe(text);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines[0]).toEqual({ kind: 'archive', format: 2 });
  expect(lines.at(-1)).toEqual({ kind: 'end', chats: 3, messages: 2_003, deleted_messages: 1 });
  expect(text).not.toContain('deleted later');
  expect(text).not.toContain('gone with its chat');

  // A data folder that does not exist yet.
  const other = path.join(dataFolder(), 'new', 'data');
  const dry = await ops('--data-dir', other, 'import', file, '--dry-run');
  expect(dry).toMatchObject({
    status: 0,
    stdout: 'The file can be imported: 3 chats, 2,003 messages, 1 deleted message.\n',
  });
  expect(existsSync(path.dirname(other))).toBe(false);
  // Imports twice, because an import may be repeated; the second time from standard input.
  expect(await ops('--data-dir', other, 'import', file)).toEqual({
    status: 0,
    stdout: 'Imported 3 chats, 2,003 messages, 1 deleted message.\n',
    stderr: `Creating a chat system in ${other}.\n`,
  });
  expect(await startOps(['--data-dir', other, 'import', '-'], { input: text }).ended).toMatchObject({ status: 0 });

  const host = await hostOf(startHost(other, '--rollup-seconds', '1'));
  const client = await Client.connect(host.url);
  const after = async () => stateOf(client, application);
  await expect.poll(async () => (await client.get<Chat>(first)).body.messages_count, settled).toBe(2_002);
  await expect.poll(async () => (await client.get<Application>(application)).body.chats_count, settled).toBe(2);
  await expect.poll(async () => (await after()).messages, settled).toEqual(before.messages);
  expect(await after()).toEqual(before);
  const search = `${application}/search?q=${encodeURIComponent('TWICE İß')}`;
  await expect.poll(async () => (await client.get<{ total: number }>(search)).body.total, settled).toBe(1);

  // New numbers follow the highest one, edits follow the last revision, and deletions are kept.
  expect(await client.send(first, 'next')).toEqual([2_004]);
  expect(await client.newChat(application)).toBe(`${application}/chats/4`);
  expect((await client.patch(`${first}/messages/2`, { body: 'edited here' })).status).toBe(200);
  await expect
    .poll(async () => (await client.get<Message>(`${first}/messages/2`)).body.body, settled)
    .toBe('edited here');
  expect((await client.patch(`${first}/messages/2002`, { body: 'x' })).body).toMatchObject({
    code: 'message_not_found',
  });
  expect((await client.patch(`${application}/chats/2`, { name: 'x' })).body).toMatchObject({ code: 'chat_not_found' });
  await host.stop();

  // The application has changed since, so it differs from the file.
  const again = await ops('--data-dir', other, 'import', file);
  expect(again).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^Line 2: The application already exists and has grown since the export\.\n$/),
  });
});

test('an import of a malformed or truncated file names the line and imports nothing', async () => {
  const { dataDir, token } = await folderWithApplication();
  const text = (await ops('--data-dir', dataDir, 'export', token)).stdout;
  const lines = text.trimEnd().split('\n');
  const folder = dataFolder();
  const cases: [string, string[], RegExp][] = [
    ['empty', [], /^The file is empty/],
    ['cut off', lines.slice(0, 1_500), /^The file is truncated after line 1500/],
    ['other version', ['{"kind":"archive","format":3}', ...lines.slice(1)], /^Line 1: /],
    ['no header', lines.slice(1), /^Line 1: a line of kind "application" is not allowed here/],
    ['cut in a line', [...lines.slice(0, 9), lines[9]?.slice(0, 20) ?? ''], /^Line 10: is not JSON/],
    [
      'a message lost',
      [...lines.slice(0, 9), ...lines.slice(10)],
      new RegExp(`^Line ${lines.length - 1}: the file should have`),
    ],
    [
      'swapped',
      [...lines.slice(0, 8), lines[9] ?? '', lines[8] ?? '', ...lines.slice(10)],
      /^Line 10: message 1\/\d+ is not/,
    ],
    ['blank body', lines.map((line) => line.replace('"text 3"', '"  "')), /^Line \d+: body must not be blank/],
    ['bad token', lines.map((line) => line.replace(token, 'x')), /^Line 2: token is not a token/],
  ];
  for (const [name, wrong, message] of cases) {
    const file = path.join(folder, 'wrong.ndjson');
    writeFileSync(file, wrong.join('\n'));
    const target = path.join(dataFolder(), 'new');
    const fromFile = startOps(['--data-dir', target, 'import', file]);
    const fromPipe = startOps(['--data-dir', target, 'import', '-'], { input: wrong.join('\n') });
    for (const { status, stderr } of await Promise.all([fromFile.ended, fromPipe.ended])) {
      expect([name, status, stderr]).toEqual([name, 1, expect.stringMatching(message)]);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    }
    expect([name, existsSync(target)]).toEqual([name, false]);
  }
  const none = await ops('--data-dir', dataDir, 'import', path.join(folder, 'nowhere'));
  expect(none).toMatchObject({ status: 1, stderr: expect.stringMatching(/^\S*nowhere: .*\n$/) });
  const unknown = await ops('--data-dir', dataDir, 'export', 'unknown');
  expect(unknown).toMatchObject({ status: 1, stdout: '', stderr: 'There is no application with this token.\n' });
}, 240_000);

/** A data folder of an empty system. */
async function emptyFolder(): Promise<string> {
  const dataDir = dataFolder();
  await (await openEngineFiles(dataDir)).close();
  return dataDir;
}

test('an import accepts what a converter writes: gaps, times with other offsets, and lines of deleted messages', async () => {
  const token = 'Q2lDXdH2R2GfSqkhVYzhGg';
  const times = { created_at: '2017-11-30T23:52:30+01:00', updated_at: '2017-11-30t23:52:30.1234z' };
  const parent = { revision: 0, ...times };
  const lines = [
    { kind: 'archive', format: 1 },
    { kind: 'application', token, name: 'Slack', ...parent, highest: 3 },
    { kind: 'chat', number: 1, name: 'general', deleted: false, ...parent, highest: 6 },
    { kind: 'message', chat: 1, number: 2, body: 'two', ...parent },
    { kind: 'deleted message', chat: 1, number: 3 },
    { kind: 'message', chat: 1, number: 5, body: 'five', ...parent },
    { kind: 'chat', number: 3, name: null, deleted: false, ...parent, highest: 0 },
    { kind: 'end', chats: 2, messages: 2, deleted_messages: 1 },
  ].map((line) => JSON.stringify(line));
  const dataDir = path.join(dataFolder(), 'new');
  expect(await startOps(['--data-dir', dataDir, 'import', '-'], { input: lines.join('\n') }).ended).toMatchObject({
    status: 0,
    stdout:
      'Imported 2 chats, 2 messages, 1 deleted message. 4 numbers without a line became void; the first is message 1/1.\n',
  });
  const host = await hostOf(startHost(dataDir, '--rollup-seconds', '1'));
  const client = await Client.connect(host.url);
  const chat = `/applications/${token}/chats/1`;
  const list = async () => (await client.get<{ data: Message[]; pending: number[] }>(`${chat}/messages`)).body;
  // The void numbers may be stored after the messages.
  await expect.poll(list, settled).toMatchObject({ data: [{ number: 2 }, { number: 5 }], pending: [] });
  for (const number of [1, 3, 4, 6])
    await expect
      .poll(async () => (await client.get(`${chat}/messages/${number}`)).body, settled)
      .toMatchObject({ code: 'message_not_found' });
  expect((await client.get<Message>(`${chat}/messages/2`)).body.created_at).toBe('2017-11-30T22:52:30.000Z');
  await expect.poll(async () => (await client.get<Chat>(chat)).body.messages_count, settled).toBe(2);
  await expect
    .poll(async () => (await client.get<Application>(`/applications/${token}`)).body.chats_count, settled)
    .toBe(2);
  expect(await client.send(chat, 'next')).toEqual([7]);
  // A message is indexed after it is stored, and `reconcile` reports a message that is not indexed yet.
  const found = async () => (await client.get<{ total: number }>(`${chat}/messages/search?q=next`)).body.total;
  await expect.poll(found, settled).toBe(1);
  await host.stop();
  expect(await ops('--data-dir', dataDir, 'reconcile')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('no differences'),
  });
});

test('an import of something that is not a file of lines is refused at once with a sentence', async () => {
  const folder = dataFolder();
  const noLineEnds = path.join(folder, 'no-line-ends');
  writeFileSync(noLineEnds, Buffer.alloc(60_000_000, 'x'));
  const gzip = path.join(folder, 'app.ndjson.gz');
  writeFileSync(gzip, gzipSync('{"kind":"archive","format":1}\n'));
  const runs = [
    ['/dev/zero', /^Line 1: is longer than 1000000 bytes\.\n$/],
    [noLineEnds, /^Line 1: is longer than 1000000 bytes\.\n$/],
    [gzip, /^The file is compressed\. Decompress it first: gzip -dc FILE \| script\/ops import -\n$/],
    ['/dev/null', /^The file is empty\.\n$/],
    [folder, /^\S+ is a folder; .*\.\n$/],
  ] as const;
  for (const [file, message] of runs) {
    const ended = await ops('--data-dir', await emptyFolder(), 'import', file);
    expect([file, ended]).toEqual([file, { status: 1, stdout: '', stderr: expect.stringMatching(message) }]);
  }
  const env = { TMPDIR: path.join(folder, 'none') };
  const uncopied = await startOps(['--data-dir', await emptyFolder(), 'import', '-'], { env }).ended;
  expect(uncopied).toMatchObject({ status: 1, stderr: expect.stringMatching(/cannot be copied .*ENOENT.*TMPDIR/) });
}, 60_000);

test.skipIf(process.platform !== 'linux').each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  '%s ends an import that waits for input',
  async (signal, code) => {
    const dataDir = await emptyFolder();
    for (const hasWriter of [false, true]) {
      const fifo = path.join(dataFolder(), 'fifo');
      execFileSync('sh', ['-c', 'mkfifo "$0"', fifo]);
      const run = startOps(['--data-dir', dataDir, 'import', fifo]);
      const files = () => readdirSync(`/proc/${run.pid}/fd`).map((fd) => linkTarget(`/proc/${run.pid}/fd/${fd}`));
      await expect.poll(files, settled).toContain(fifo);
      const writer = hasWriter ? openSync(fifo, 'w') : undefined;
      if (writer !== undefined) writeSync(writer, '{"kind":"archive","format":1}\n{"kind":');
      const began = Date.now();
      run.kill(signal);
      expect(await run.ended).toEqual({ status: code, stdout: '', stderr: expect.stringMatching(/^Stopped\. .*\n$/) });
      expect(Date.now() - began).toBeLessThan(3_000);
      if (writer !== undefined) closeSync(writer);
    }
  },
  60_000,
);

/** Returns the target of the link, or undefined when it has gone meanwhile. */
function linkTarget(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

test('an export into a pipe that is closed early ends quietly', async () => {
  const dataDir = dataFolder();
  const files = await openEngineFiles(dataDir);
  const { token } = await files.ledger.createApplication('one');
  await Promise.all(numbers(1, 2_000).map(() => files.ledger.createChat(token, chatNamed(null))));
  await files.close();
  const [main, status, errors] = [
    path.resolve('tools/ops/main.ts'),
    path.join(dataDir, 'status'),
    path.join(dataDir, 'errors'),
  ];
  const command = `{ "$0" "$1" --data-dir "$2" export ${token} 2> "$3"; echo $? > "$4"; } | head -2`;
  const args = ['-c', command, process.execPath, main, dataDir, errors, status];
  const lines = execFileSync('sh', args, { encoding: 'utf8' });
  expect(lines.split('\n').map((line) => line && JSON.parse(line).kind)).toEqual(['archive', 'application', '']);
  expect([readFileSync(status, 'utf8'), readFileSync(errors, 'utf8')]).toEqual(['0\n', '']);
});

test('accepted writes that are not stored yet are not exported, and the export says so', async () => {
  const dataDir = dataFolder();
  const files = await openEngineFiles(dataDir);
  const { token } = await files.ledger.createApplication('one');
  await files.ledger.createChat(token, chatNamed(null));
  await files.ledger.createMessages({ token, chat: 1 }, contents(['a', 'b', 'c']));
  await files.close();
  const { status, stderr, stdout } = await ops('--data-dir', dataDir, 'export', token);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^Not in the file: 3 accepted messages not stored yet/m);
  expect(stdout).toContain('"kind":"end"');
});
