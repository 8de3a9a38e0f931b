import { readFileSync } from 'node:fs';

/** The unit of processor times in proc(5), in microseconds: Linux has 100 ticks a second on every platform of Node.js. */
const tickUs = 10_000;

/**
 * Returns the processor time that a process, with all its threads and its direct child processes, has used since it
 * started, in user and kernel mode, in microseconds. A child that ended no longer counts.
 */
export function processorTimeUs(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return [String(pid), ...children].reduce((sum, each) => sum + ticksOf(each), 0) * tickUs;
}

/** Returns `utime` and `stime` of proc(5) together. The name of the program, in parentheses, may contain spaces. */
function ticksOf(pid: string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return Number(user) + Number(system);
}
