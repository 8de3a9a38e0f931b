import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const command = path.resolve(import.meta.dirname, '../../script/ops');
const sampleMs = 20;

/**
 * Runs `script/ops` with these arguments. Returns the peak of its resident memory in MB, from VmHWM of proc(5).
 *
 * @throws Error when the command failed
 */
export async function peakMbOfOps(...args: string[]): Promise<number> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let [peak, errors] = [0, ''];
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk;
  });
  // The peak only rises, so the last sample before the exit is the peak so far. The shell of script/ops becomes Node.js.
  const sampling = setInterval(() => {
    peak = Math.max(peak, peakMbOf(child.pid as number));
  }, sampleMs);
  try {
    const [status] = await once(child, 'close');
    if (status !== 0) throw new Error(`script/ops ${args[0]} ended with status ${status}: ${errors}`);
    return peak;
  } finally {
    clearInterval(sampling);
  }
}

function peakMbOf(pid: number): number {
  // A process that has ended has no memory, and its file may be gone.
  const status = readStatus(pid);
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1_024;
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH')
      return '';
    throw error;
  }
}
