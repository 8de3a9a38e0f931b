import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';

/** The variable that all processes of a test run inherit. Its value names the run. */
export const runVariable = 'CHAT_SYSTEM_TEST_RUN';

const started = Symbol.for('chat-system test guard');

/**
 * Starts the guard of this run: a process of its own that outlives the run and kills the processes which the run leaves
 * behind, however the run ends. The first project to be set up starts it for all.
 */
export function setup(): (() => void) | undefined {
  if (started in process) return undefined;
  Object.assign(process, { [started]: true });
  const inherited = { ...process.env };
  const run = randomUUID();
  process.env[runVariable] = run;
  // Only this process holds the other end of the pipe, so the pipe ends when this process does.
  const guard = spawn(process.execPath, [path.join(import.meta.dirname, 'guard-process.ts'), run], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: inherited,
    // In a process group of its own, because Ctrl-C in a terminal signals the whole group of the run.
    detached: true,
  });
  guard.stdin.on('error', () => undefined);
  guard.unref();
  return () => void guard.stdin.end();
}
