import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder, stackFolder } from '../../tools/stack/folders.ts';
import { identityOf, launch, logFile, runningPid, stopServer, untilReady } from '../../tools/stack/server-process.ts';

/** Returns the name of a server that ends with this test. */
function serverName(): string {
  const name = `test-${randomUUID()}`;
  makeFolder(stackFolder);
  onTestFinished(async () => {
    await stopServer(name);
    rmSync(logFile(name), { force: true });
  });
  return name;
}

const pidFile = (name: string) => path.join(stackFolder, `${name}.pid`);
const node = (script: string) => ({
  command: [process.execPath, '-e', script] as [string, ...string[]],
  cwd: stackFolder,
  env: process.env,
});
const alive = (pid: number) => identityOf(pid) !== undefined;

test('a server runs until it is stopped', async () => {
  const name = serverName();
  await launch(name, node('setInterval(() => {}, 1000)'));
  const pid = runningPid(name) as number;
  expect(alive(pid)).toBe(true);
  await stopServer(name);
  expect(alive(pid)).toBe(false);
  expect(existsSync(pidFile(name))).toBe(false);
});

test('another process that got the pid of an ended server is not stopped', async () => {
  const name = serverName();
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true });
  onTestFinished(() => {
    stranger.kill('SIGKILL');
  });
  const identity = identityOf(stranger.pid as number) as string;
  const earlier = identity.replace(/\d+$/, (started) => String(Number(started) - 1));
  writeFileSync(pidFile(name), JSON.stringify({ pid: stranger.pid, identity: earlier }));
  expect(runningPid(name)).toBeUndefined();
  await stopServer(name);
  expect(alive(stranger.pid as number)).toBe(true);
});

test('a truncated pid file counts as no server', async () => {
  const name = serverName();
  writeFileSync(pidFile(name), '{"pid": 1');
  expect(runningPid(name)).toBeUndefined();
  await stopServer(name);
});

test('the child processes of a server end with it, even when the server was killed', async () => {
  const name = serverName();
  await launch(
    name,
    node(`const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
          console.log('child ' + child.pid); setInterval(() => {}, 1000)`),
  );
  const child = () => Number(/child (\d+)/.exec(readFileSync(logFile(name), 'utf8'))?.[1]);
  await untilReady(name, async () => child() > 0);
  const pid = child();
  process.kill(runningPid(name) as number, 'SIGKILL');
  await expect.poll(() => runningPid(name)).toBeUndefined();
  expect(alive(pid)).toBe(true);
  await stopServer(name);
  await expect.poll(() => alive(pid)).toBe(false);
});

test('a server that ends during its start is reported with the end of its log', async () => {
  const name = serverName();
  await launch(name, node('console.error("the disk is full"); process.exit(1)'));
  await expect(untilReady(name, async () => false)).rejects.toThrow('the disk is full');
});
