import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { copyCheckout, project, removeCheckout, scriptStack } from '../support/servers/checkout.ts';

const programs = {
  'script/start': 'local/start.ts',
  'script/ops': 'tools/ops/main.ts',
  'script/stack': 'tools/stack/main.ts',
  'script/demo': 'tools/demo/main.ts',
  'script/bench': 'tools/bench/main.ts',
  'script/preflight': 'tools/checks/preflight/main.ts',
  'script/smoke': 'tools/checks/smoke/main.ts',
};

/** Runs a program of this checkout. With `readerIsGone`, nobody reads its standard output. */
async function run(program: string, args: string[], readerIsGone = false) {
  const child = spawn(process.execPath, [path.join(project, program), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  if (readerIsGone) child.stdout.destroy();
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all([readerIsGone ? '' : text(child.stdout), text(child.stderr)]);
  return { status: await ended, stdout, stderr };
}

test.each(Object.entries(programs))('%s prints its version', async (_name, program) => {
  expect(await run(program, ['--version'])).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^chat-system \d+\.\d+\.\d+, Node\.js \d+\.\d+\.\d+\n$/),
    stderr: '',
  });
});

test.each([...Object.values(programs), 'test/simulation/main.ts', 'test/searches/main.ts'])(
  'a reader that stops early, such as head, is no error for %s',
  async (program) => {
    expect(await run(program, ['--help'], true)).toEqual({ status: 0, stdout: '', stderr: '' });
  },
);

test.each([
  ['script/ops', []],
  ['script/ops', ['dead-letters']],
  ['script/stack', []],
] as const)('%s without a subcommand lists the subcommands: %j', async (name, args) => {
  const { status, stdout, stderr } = await run(programs[name], [...args]);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain('Commands:');
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(`${[name, ...args].join(' ')} needs one of these commands.`);
});

test.each([
  ['tools/ops/main.ts', ['export'], "Missing required argument 'token'; see script/ops export --help."],
  ['tools/ops/main.ts', ['dead-letters', 'x'], "Unknown command 'x'; see script/ops dead-letters --help."],
  ['tools/bench/main.ts', ['--x'], "Unknown option '--x'; see script/bench --help."],
  ['tools/stack/main.ts', ['logs', '--x'], "Unknown option '--x'; see script/stack logs --help."],
  ['tools/checks/smoke/main.ts', [], "Missing required argument 'url'; see script/smoke --help."],
  ['tools/checks/preflight/main.ts', ['-c', 'prod'], '-c prod must be name=value.'],
  ['tools/demo/main.ts', ['--concurrency', 'x'], '--concurrency (CONCURRENCY) must be a whole number from 1 to 256.'],
] as const)('a wrong usage of %s %j names the help of the command, with status 2', async (program, args, stderr) => {
  expect(await run(program, [...args])).toEqual({ status: 2, stdout: '', stderr: `${stderr}\n` });
});

test('script/test runs nothing when it is asked for its usage', () => {
  const usage = (arg: string) => spawnSync(path.join(project, 'script', 'test'), [arg], { encoding: 'utf8' });
  expect(usage('--help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Usage: script\/test\n/) });
  expect(usage('x')).toMatchObject({ status: 2, stderr: expect.stringMatching(/^Usage: script\/test\n/) });
});

test('script/stack status exits with 3 before the first up', async () => {
  const checkout = copyCheckout();
  onTestFinished(() => removeCheckout(checkout));
  expect(await scriptStack(checkout, 'status')).toEqual({
    status: 3,
    stdout: '',
    stderr: 'Nothing is up for this checkout: run script/stack up.\n',
  });
});
