import { type Command, CommanderError } from 'commander';
import { queueNames } from '../../functions/queues.ts';
import { ArchiveProblem } from '../../lib/archive/format.ts';
import { DependencyFailure } from '../../lib/model/errors.ts';
import { asToken } from '../../lib/model/token.ts';
import { ReindexProblem } from '../../lib/search/reindex.ts';
import { UnusableDatabase } from '../../lib/sqlite/database.ts';
import { BadSettings } from '../cli/command-line.ts';
import { StackProblem } from '../stack/problem.ts';
import { opsCommand } from './command.ts';
import type { OpsServices } from './engine.ts';
import { exportTo } from './export.ts';
import { importFrom } from './import.ts';
import { Interruption } from './interruption.ts';
import { listDeadLetters } from './list-dead-letters.ts';
import { OpsProblem } from './problem.ts';
import { reconcileAll } from './reconcile.ts';
import { redrive } from './redrive.ts';
import { reindex } from './reindex.ts';
import { type EngineFlags, openServices } from './services.ts';

const interruption = new Interruption();
let status = 0;

/** Does the work on the system that the flags name, and closes it however that ends. */
async function on(work: (services: OpsServices) => Promise<void>, disagreeing?: 'refuse' | 'repair'): Promise<void> {
  const services = await openServices(program.opts<EngineFlags>(), disagreeing);
  try {
    await work(services);
  } finally {
    await services.close();
  }
}

function wholeNumber(flag: string, digits: string): number {
  if (!/^[0-9]{1,9}$/.test(digits) || Number(digits) === 0)
    throw new BadSettings(`${flag} must be a whole number from 1 to 999999999.`);
  return Number(digits);
}

const program = opsCommand({
  listDeadLetters: (queue, { limit, ...flags }) => {
    const most = wholeNumber('--limit', limit);
    return on((services) => listDeadLetters(services, queue ? [queue] : queueNames, { limit: most, ...flags }));
  },
  redrive: (queue, flags) => on((services) => redrive(services, queue ? [queue] : queueNames, flags, interruption)),
  export: (token, flags) => on((services) => exportTo(services, token, flags, interruption)),
  import: (file, flags) => on((services) => importFrom(services, file, flags, interruption)),
  reconcile: (token, flags) =>
    on(async (services) => {
      if ((await reconcileAll(services, token, flags, interruption)) > 0) status = 1;
      const isWhole = flags.repair && token === undefined && !interruption.wanted;
      if (isWhole && (await services.agree?.()) && !flags.json)
        console.log(
          'The data files agree now, and script/start takes the folder. Messages that are still missing are lost.',
        );
    }, 'repair'),
  reindex: (flags) => on((services) => reindex(services, flags, interruption)),
});

/** Returns one line that tells users what they can do, or undefined for a bug on our side. */
function sentence(error: unknown): string | undefined {
  if (
    error instanceof ArchiveProblem ||
    error instanceof OpsProblem ||
    error instanceof ReindexProblem ||
    error instanceof StackProblem ||
    error instanceof UnusableDatabase
  )
    return error.message;
  if (error instanceof Error && 'syscall' in error)
    return 'path' in error ? `${error.path}: ${error.message}` : error.message;
  if (error instanceof DependencyFailure) return `${error.message}. Run the same command again when it is back.`;
  return undefined;
}

/** One token in 64 begins with a dash; behind the other arguments it is not taken for an option. */
function withTokensLast(args: string[]): string[] {
  const isToken = (arg: string) => arg.startsWith('-') && asToken(arg) === arg;
  if (args.includes('--')) return args;
  return [...args.filter((arg) => !isToken(arg)), '--', ...args.filter(isToken)];
}

const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)];
for (const command of everyCommand(program)) command.exitOverride().configureOutput({ outputError: () => undefined });

// A reader that has seen enough, such as `head`, is no error.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(0));

try {
  await program.parseAsync(withTokensLast(process.argv.slice(2)), { from: 'user' });
  if (interruption.wanted) {
    console.error('Stopped. Run the same command again to go on.');
    status = interruption.exitCode;
  }
} catch (error) {
  if (error instanceof CommanderError) {
    status = error.exitCode === 0 ? 0 : 2;
    if (status) console.error(`${error.message.replace(/^error: /, '')}; see script/ops --help.`);
  } else if (error instanceof BadSettings) {
    console.error(error.message);
    status = 2;
  } else {
    console.error(sentence(error) ?? error);
    status = 1;
  }
}
// Pools of connections would keep the process for a while.
// A pipe may not have taken all yet, and what is not written when the process exits is lost.
process.stdout.write('', () => process.exit(status));
