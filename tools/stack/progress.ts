import { Listr } from 'listr2';
import { CommandProblem } from '../cli/problem.ts';
import type { Step } from './provider.ts';

/** Without a terminal, a step tells at most so often what it is at, in milliseconds. */
const lineEveryMs = 2_000;

/**
 * Runs steps one after the other, or all at the same time, and shows them: live on a terminal, as lines elsewhere.
 *
 * @throws CommandProblem with all that went wrong; steps at the same time run to their end before
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
        // The sentence itself is printed once, at the end.
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
