import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dataFolder } from '../support/servers/for-this-test.ts';

const project = path.resolve(import.meta.dirname, '../..');
/** A run takes long to start on a busy machine. */
const starting = { timeout: 90_000, interval: 50 };
/** Far less than the interrupted tests would still take. */
const ending = { timeout: 20_000, interval: 50 };

/** The command lines of all processes that inherited the variable, by process number. */
function processesWith(variable: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each)))
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'latin1').includes(`${variable}\0`)) continue;
      found.set(Number(name), readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' '));
    } catch {
      // It has ended.
    }
  return found;
}

test.for([
  ['SIGKILL', 'e2e', 'test/e2e/durability.test.ts', 'local/start.ts'],
  ['SIGINT', 'e2e', 'test/e2e/durability.test.ts', 'local/reader.ts'],
  ['SIGKILL', 'simulation', 'test/simulation/simulation.test.ts', 'test/simulation/main.ts'],
  ['SIGINT', 'simulation', 'test/simulation/simulation.test.ts', 'test/simulation/main.ts'],
] as const)(
  'a run that %s ends in the middle of the project %s leaves no process behind',
  async ([signal, name, file, started]) => {
    const [variable, value] = ['CHAT_SYSTEM_KILLED_RUN', randomUUID()];
    const runner = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--project', name, file], {
      cwd: project,
      // A killed run cannot delete its data folders.
      env: { ...process.env, [variable]: value, TMPDIR: dataFolder() },
      stdio: 'ignore',
    });
    onTestFinished(() => void runner.kill('SIGKILL'));
    const running = () => [...processesWith(`${variable}=${value}`).values()];
    await expect.poll(running, starting).toContainEqual(expect.stringContaining(started));
    runner.kill(signal);
    await expect.poll(running, ending).toEqual([]);
  },
);
