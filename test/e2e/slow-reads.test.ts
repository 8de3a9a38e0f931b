import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { timed } from '../support/basics/timed.ts';
import { type Answer, Client, type Problem } from '../support/client/client.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { type Host, startHost } from '../support/servers/host.ts';

/** Returns the process ids of a host's readers. */
const readersOf = ({ process: { pid } }: Host): number[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/ +/))
    .filter(([, parent, ...args]) => Number(parent) === pid && args.join(' ').endsWith('local/reader.ts'))
    .map(([reader]) => Number(reader));

test('a read that never ends gets a 503 after two seconds and delays no other application', async () => {
  const host = await hostOf(startHost(dataFolder()));
  const client = await Client.connect(host.url);
  const chats = [await client.newChat(), await client.newChat()] as const;
  const list = (chat: string) => client.call<Problem>('GET', chat.slice(0, chat.lastIndexOf('/')), { retryMs: 0 });
  // The pool starts a spare process when a read takes one, so the second one is ready soon.
  await expect.poll(async () => (await list(chats[0])).status).toBe(200);
  await expect.poll(() => readersOf(host).length).toBeGreaterThanOrEqual(2);
  await expect.poll(async () => (await Promise.all(chats.map(list))).map(({ status }) => status)).toEqual([200, 200]);

  // A stopped process never responds, like one in the middle of an endless query. The pool uses the oldest one first.
  const stopped = Math.min(...readersOf(host));
  process.kill(stopped, 'SIGSTOP');
  const outcomes: (Answer<Problem> | undefined)[] = [];
  const reads = chats.map(async (chat, i) => {
    const { result, ms } = await timed(list(chat));
    outcomes[i] = result;
    return ms;
  });
  await Promise.race(reads);
  const served = outcomes.findIndex((outcome) => outcome !== undefined);
  const [usual, slow] = served === 0 ? chats : [chats[1], chats[0]];
  // A second read of the slow application. It waits although the other process is idle, because an application has one
  // read in progress.
  const behind = timed(list(slow));
  // If an expectation below fails, the host stops before these reads have a response. Ignores their rejections then.
  for (const read of [...reads, behind]) read.catch(() => undefined);

  let rounds = 0;
  for (; outcomes.filter(Boolean).length < 2; rounds++) {
    const answers = await Promise.all([
      client.get('/health'),
      client.post(`${usual}/messages`, { body: 'A text' }),
      client.get(`${usual}/messages`),
      client.get(`${usual}/messages/search?q=text`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 201, 200, 200]);
  }
  // If the slow read delayed the others, the first round would end only with it and be the only one.
  expect(rounds).toBeGreaterThan(1);

  const { status, headers, body } = outcomes[1 - served] as Answer<Problem>;
  expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '5']);
  expect(Math.max(...(await Promise.all(reads)))).toBeGreaterThan(1_900);
  expect(Math.max(...(await Promise.all(reads)))).toBeLessThan(4_000);
  expect((await behind).ms).toBeLessThan(4_000);
  await expect.poll(async () => (await list(slow)).status).toBe(200);

  await expect.poll(() => readersOf(host)).not.toContain(stopped);
  const readers = readersOf(host);
  expect(readers.length).toBeGreaterThan(0);
  expect(await host.stop()).toBe(0);
  const lines = host.stderr().trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).message)).toEqual(['a read timed out and its process was replaced']);
  expect(host.stderr()).not.toContain(slow.split('/')[2]);
  for (const reader of readers) expect(() => process.kill(reader, 0)).toThrow('ESRCH');
});

test('when a host is killed, its reader processes end by themselves', async () => {
  const host = await hostOf(startHost(dataFolder()));
  await expect.poll(() => readersOf(host).length).toBeGreaterThan(0);
  const readers = readersOf(host);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) for (const reader of readers) process.kill(reader, signal);
  expect((await fetch(`${host.url}/applications`)).status).toBe(200);
  expect(readersOf(host)).toEqual(expect.arrayContaining(readers));
  await host.stop('SIGKILL');
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  await expect.poll(() => readers.filter(isAlive)).toEqual([]);
});
