import { spawn } from 'node:child_process';
import { CommandProblem } from '../cli/problem.ts';

/** Says what a step is at; shown beside it while it runs. */
export type Say = (line: string) => void;

/** So many of the last lines of a failed command are shown: a report of a test run begins well above its summary. */
const shownLines = 60;

/**
 * Runs a command to its end, and passes each line that it prints to `say`.
 *
 * @returns what it printed on standard output
 * @throws CommandProblem with the end of its output when it fails, or can't be started
 */
export async function run(
  [file, ...args]: [string, ...string[]],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; say?: Say } = {},
): Promise<string> {
  const { say, ...where } = options;
  const child = spawn(file, args, { ...where, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, all] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      all += text;
      const line = text
        .trimEnd()
        .split(/[\r\n]+/)
        .at(-1);
      if (line) say?.(line);
    });
  const status = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.on('error', (error) => reject(new CommandProblem(`${file} can't be run: ${error.message}`)));
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  if (status !== 0) {
    const shown = all.trimEnd().split('\n').slice(-shownLines).join('\n');
    throw new CommandProblem(`${[file, ...args].join(' ')} ended with ${status}:\n${shown}`);
  }
  return stdout;
}
