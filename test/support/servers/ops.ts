import { spawn } from 'node:child_process';
import path from 'node:path';

const main = path.resolve(import.meta.dirname, '../../../tools/ops/main.ts');
const compileCache = path.resolve(import.meta.dirname, '../../../node_modules/.cache/compile');

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** script/ops in a process of its own. */
export interface OpsRun {
  pid: number | undefined;
  kill: (signal: NodeJS.Signals) => void;
  stderr: () => string;
  ended: Promise<Ended>;
}

/** Starts script/ops with these flags and this input. */
export function startOps(
  args: string[],
  { input = '', env = {} }: { input?: string; env?: NodeJS.ProcessEnv } = {},
): OpsRun {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command may end before it has read its whole input. Then writing to the pipe fails, which is expected.
  child.stdin.on('error', () => undefined).end(input);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
  return { pid: child.pid, kill: (signal) => void child.kill(signal), stderr: () => stderr, ended };
}

/** Runs script/ops to its end. */
export const ops = (...args: string[]): Promise<Ended> => startOps(args).ended;
