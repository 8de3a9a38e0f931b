import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const main = path.resolve(import.meta.dirname, '../../../tools/checks/smoke/main.ts');

/** Starts script/smoke. */
export const startSmoke = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });

/** Runs script/smoke to its end. */
export async function smoke(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = startSmoke(args, env);
  const status = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await status, stdout, stderr };
}
