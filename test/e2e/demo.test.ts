import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readDeclarations } from '../../tools/texts/declarations.ts';
import { type Application, type Chat, Client, type Message } from '../support/client/client.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { startHost } from '../support/servers/host.ts';

const demo = path.resolve(import.meta.dirname, '../../tools/demo/main.ts');

function run(...flags: string[]) {
  const child = spawn(process.execPath, [demo, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed += chunk;
    });
  return { child, ended: once(child, 'close').then(() => ({ status: child.exitCode, printed })) };
}

test('a demo that was killed continues when it is run again, stores every text once, and then searches in five scripts', async () => {
  const host = await hostOf(startHost(dataFolder()));
  const flags = ['--url', host.url, '--data-dir', dataFolder()];

  const first = run(...flags);
  const client = await Client.connect(host.url);
  await expect.poll(async () => (await client.all('/applications')).length, { timeout: 30_000 }).toBe(1);
  // This waits for no condition: it kills the demo at some moment in the middle.
  await passes(300);
  first.child.kill('SIGKILL');
  expect((await first.ended).printed).not.toContain('all searchable');

  const { status, printed } = await run(...flags).ended;
  expect([status, printed]).toEqual([0, expect.stringContaining('Resuming the unfinished run')]);
  expect(printed).toMatch(/all searchable +[\d.]+ s +every message can be found/);
  expect(printed.match(/^(Latin|Cyrillic|Arabic|Han|Devanagari): .*· [\d,]+ matches · /gm)).toHaveLength(5);

  const applications = await client.all<Application>('/applications');
  expect(applications).toHaveLength(1);
  const chats = `/applications/${applications[0]?.token}/chats`;
  const declarations = new Map(
    readDeclarations().map(({ language, paragraphs }) => [`${language}: ${paragraphs.join('\n')}`, language]),
  );
  const loaded = await client.all<Chat>(`${chats}?limit=1000`);
  expect(loaded).toHaveLength(declarations.size);
  for (const { number, name } of loaded) {
    const messages = await client.all<Message>(`${chats}/${number}/messages?limit=1000`);
    expect(declarations.delete(`${name}: ${messages.map(({ body }) => body).join('\n')}`), `chat ${number}`).toBe(true);
  }
});

test('the demo without a server says how to start one', async () => {
  const { status, printed } = await run('--url', 'http://127.0.0.1:9/v1', '--data-dir', dataFolder()).ended;
  expect([status, printed]).toEqual([1, expect.stringMatching(/^No chat system responds at .*script\/start.*\n$/)]);
});
