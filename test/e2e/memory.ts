import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const pageBytes = 4_096;

/** Returns the resident memory of a process in MiB. */
export function residentMiB(pid: number): number {
  const statm = `/proc/${pid}/statm`;
  const bytes = existsSync(statm)
    ? Number(readFileSync(statm, 'utf8').split(' ')[1]) * pageBytes
    : Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1_024;
  return bytes / 1_024 / 1_024;
}
