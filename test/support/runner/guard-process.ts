import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runVariable } from './guard.ts';

// The guard of a test run: waits until the run has ended, and kills what is left of it.

const [, , run] = process.argv;
const marker = `${runVariable}=${run}\0`;

/** The processes that inherited the variable of the run. None where the system has no /proc. */
function* marked(): Generator<number> {
  for (const name of existsSync('/proc') ? readdirSync('/proc') : []) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (readFileSync(`/proc/${name}/environ`, 'latin1').includes(marker)) yield Number(name);
    } catch {
      // The process has ended, or belongs to another user.
    }
  }
}

/** Kills all that is left, and returns whether something was. */
function kill(): boolean {
  const left = [...marked()];
  for (const pid of left)
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  return left.length > 0;
}

process.stdin.resume();
process.stdin.on('end', async () => {
  // A process may start another one just before it is killed.
  while (kill()) await sleep(50);
  process.exit();
});
