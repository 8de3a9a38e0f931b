import { spawn } from 'node:child_process';
import { CommandProblem } from '../cli/problem.ts';

/** Reports the progress of a step, which is shown next to its title. */
export type Say = (line: string) => void;

/**
 * The number of last lines to show of a failed command. Schemathesis prints about 100 lines of warnings and totals below
 * its failures, each of which has about 16.
 */
const shownLines = 200;

/**
 * Runs a command until it exits, and passes each line of its output to `say`.
 *
 * @returns its standard output
 * @throws CommandProblem with the end of its output when it fails or cannot be started
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
    child.on('error', (error) => reject(new CommandProblem(`${file} cannot be run: ${error.message}`)));
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  if (status !== 0) {
    const shown = all.trimEnd().split('\n').slice(-shownLines).join('\n');
    throw new CommandProblem(`${[file, ...args].join(' ')} ended with ${status}:\n${shown}`);
  }
  return stdout;
}
