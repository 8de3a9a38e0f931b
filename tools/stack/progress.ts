import { Listr } from 'listr2';
import { lineEveryMs } from '../cli/bars.ts';
import { CommandProblem } from '../cli/problem.ts';
import type { Step } from './provider.ts';

/**
 * Runs steps sequentially or concurrently, and shows their progress: live on a terminal, otherwise as lines.
 *
 * @throws CommandProblem with the message of every failed step, after all concurrent steps have ended
 */
export async function runSteps(steps: Step[], { concurrent }: { concurrent: boolean }): Promise<void> {
  const failures: unknown[] = [];
  const tasks = steps.map(({ title, run }) => ({
    title,
    task: async (_context: unknown, task: { output: string }) => {
      let last = 0;
      const say = (line: string) => {
        const now = Date.now();
        if (!process.stdout.isTTY && now - last < lineEveryMs) return;
        last = now;
        task.output = line;
      };
      await run(say).catch((error: unknown) => {
        failures.push(error);
        // The caller prints the message itself once, at the end.
        throw new Error('see below');
      });
    },
  }));
  await new Listr(tasks, { concurrent, exitOnError: !concurrent, fallbackRenderer: 'simple' }).run().catch((error) => {
    if (failures.length === 0) throw error;
  });
  const unknown = failures.find((failure) => !(failure instanceof CommandProblem));
  if (unknown) throw unknown;
  if (failures.length > 0)
    throw new CommandProblem(failures.map((failure) => (failure as CommandProblem).message).join('\n\n'));
}
