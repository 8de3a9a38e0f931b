import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { CommandProblem } from '../cli/problem.ts';
import { logFolder, makeFolder, stackFolder } from './folders.ts';
import { lastLines } from './last-lines.ts';

/** The longest times for a server to become ready (OpenSearch on a busy machine) and to stop, in milliseconds. */
const readyMs = 180_000;
const stopMs = 60_000;

/** How to start a server that keeps running when the command that started it exits. */
export interface Launch {
  command: [file: string, ...args: string[]];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** The id of the user to run as; undefined is the current user. */
  uid?: number;
}

const pidFile = (name: string): string => path.join(stackFolder, `${name}.pid`);
export const logFile = (name: string): string => path.join(logFolder, `${name}.log`);

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

const pidFileContent = z.object({ pid: z.number().int().positive(), identity: z.string() });

/** Returns the boot and the start time of a process, which distinguish it from a later one with the same pid. */
export function identityOf(pid: number): string | undefined {
  try {
    // The command's name in the second field may contain spaces and parentheses.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const [state, started] = [fields[0], fields[19]];
    return state === 'Z' ? undefined : `${bootId()} ${started}`;
  } catch {
    return undefined;
  }
}

function readPidFile(name: string): z.output<typeof pidFileContent> | undefined {
  try {
    return pidFileContent.parse(JSON.parse(readFileSync(pidFile(name), 'utf8')));
  } catch {
    // Missing, or truncated when the machine went down.
    return undefined;
  }
}

/** Returns the pid of the server that this checkout started with that name; undefined when it is not running. */
export function runningPid(name: string): number | undefined {
  const { pid, identity } = readPidFile(name) ?? {};
  return pid !== undefined && identityOf(pid) === identity ? pid : undefined;
}

/** Starts a server. `name` is also the name of its pid file and its log. */
export async function launch(name: string, { command: [file, ...args], cwd, env, uid }: Launch): Promise<void> {
  endChildren(name);
  makeFolder(logFolder);
  const log = openSync(logFile(name), 'a', 0o644);
  const user = uid === undefined ? {} : { uid, gid: uid };
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', log, log], detached: true, ...user });
  closeSync(log);
  // Write the pid at once, before a signal can end this process: otherwise nothing could stop the server.
  if (child.pid !== undefined)
    writeFileSync(pidFile(name), JSON.stringify({ pid: child.pid, identity: identityOf(child.pid) ?? 'ended' }));
  await once(child, 'spawn');
  child.unref();
}

/**
 * Resolves when the server is ready.
 *
 * @throws CommandProblem with the end of its log when it exits instead or takes too long
 */
export async function untilReady(name: string, ready: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + readyMs; !(await ready()); await sleep(100)) {
    if (runningPid(name) === undefined)
      throw new CommandProblem(
        `${name} exited while it started.\n${lastLines(logFile(name), 15)}\nFull log: ${logFile(name)}`,
      );
    if (Date.now() > end)
      throw new CommandProblem(`${name} was not ready after ${readyMs / 1_000} s; see ${logFile(name)}.`);
  }
}

/** Stops the server that this checkout started with that name, and its children, and nothing else. */
export async function stopServer(name: string): Promise<void> {
  const pid = runningPid(name);
  if (pid !== undefined) {
    process.kill(pid, 'SIGTERM');
    for (const end = Date.now() + stopMs; runningPid(name) !== undefined; await sleep(50))
      if (Date.now() > end)
        throw new CommandProblem(`${name} (process ${pid}) did not stop within ${stopMs / 1_000} s.`);
  }
  endChildren(name);
  rmSync(pidFile(name), { force: true });
}

/**
 * Kills the children of a server, which may outlive it. They are in the process group with the server's pid, and the
 * system does not reuse that number while the group exists, except after a reboot.
 */
function endChildren(name: string): void {
  const { pid, identity } = readPidFile(name) ?? {};
  if (pid === undefined || identityOf(pid) !== undefined || !identity?.startsWith(bootId())) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
