import path from 'node:path';
import { type AwsQueue, awsQueues } from '../../functions/queues.ts';
import { ArchiveProblem } from '../../lib/archive/format.ts';
import { DependencyFailure } from '../../lib/model/errors.ts';
import { asToken } from '../../lib/model/token.ts';
import type { Queue } from '../../lib/queue/queue.ts';
import { ReindexProblem } from '../../lib/search/reindex.ts';
import { UnusableDatabase } from '../../lib/sqlite/database.ts';
import { SameDatabase } from '../../lib/store/mysql/copy.ts';
import { UnusableSystemSecret } from '../../local/system-secret.ts';
import { parseOrExplain, runSubcommand, wholeNumber } from '../cli/command-line.ts';
import { onLostReader } from '../cli/output.ts';
import { CommandProblem, wrongUsage } from '../cli/problem.ts';
import { opsCommand } from './command.ts';
import type { OpenOptions, OpsServices } from './engine.ts';
import { exportTo } from './export.ts';
import { importFrom } from './import.ts';
import { Interruption } from './interruption.ts';
import { listDeadLetters } from './list-dead-letters.ts';
import { reconcileAll } from './reconcile.ts';
import { redrive } from './redrive.ts';
import { reindex } from './reindex.ts';
import { restoreSql } from './restore-sql.ts';
import { type EngineFlags, importTarget, openServices } from './services.ts';

const interruption = new Interruption();
let status = 0;

const reading: OpenOptions = { readOnly: true };

/** Opens the system that the flags choose, runs the work on it, and closes it. */
async function withSystem(work: (services: OpsServices) => Promise<void>, options?: OpenOptions): Promise<void> {
  const services = await openServices(program.opts<EngineFlags>(), options);
  try {
    await work(services);
  } finally {
    await services.close();
  }
}

/**
 * Returns the queue with this name or, without a name, every queue of the system.
 *
 * @throws CommandProblem when the system does not have the queue
 */
function chosen({ queues }: OpsServices, name: AwsQueue | undefined): Map<AwsQueue, Queue> {
  const found = (name ? [name] : awsQueues).flatMap((each): [AwsQueue, Queue][] => {
    const queue = queues[each];
    return queue ? [[each, queue]] : [];
  });
  if (found.length === 0) throw new CommandProblem(`This system has no queue ${name}.`);
  return new Map(found);
}

const program = opsCommand({
  backup: async (folder) => {
    const { dataDir, stack, aws } = program.opts<EngineFlags>();
    if (stack || aws) throw wrongUsage('backup copies a data folder. docs/restoring.md says how AWS is backed up.');
    const { backUpTo } = await import('./backup.ts');
    await backUpTo(path.resolve(dataDir), path.resolve(folder), interruption);
  },
  listDeadLetters: (queue, { limit, ...flags }) => {
    const most = parseOrExplain(wholeNumber('--limit', 1, 999_999_999), limit);
    return withSystem((services) => listDeadLetters(chosen(services, queue), { limit: most, ...flags }), reading);
  },
  redrive: (queue, flags) =>
    withSystem((services) => redrive(chosen(services, queue), flags, interruption), { readOnly: flags.dryRun }),
  export: (token, flags) => withSystem((services) => exportTo(services, token, flags, interruption), reading),
  import: async (file, flags) => importFrom(await importTarget(program.opts<EngineFlags>()), file, flags, interruption),
  reconcile: (token, flags) =>
    withSystem(
      async (services) => {
        if ((await reconcileAll(services, token, flags, interruption)) > 0) status = 1;
        if (!services.inconsistency || interruption.wanted) return;
        // A lost commit need not show as a difference: both files may lack what was in it.
        if (!flags.repair || token !== undefined) throw new CommandProblem(services.inconsistency.reason);
        await services.inconsistency.markConsistent();
        if (!flags.json)
          console.log(
            'The data files are consistent now; script/start accepts the folder. Messages that are still missing are lost.',
          );
      },
      { readOnly: !flags.repair, onLostCommits: 'repair' },
    ),
  reindex: (flags) => withSystem((services) => reindex(services, flags, interruption), { readOnly: flags.dryRun }),
  restoreSql: (url, flags) => withSystem((services) => restoreSql(services, url, flags, interruption)),
});

/** Returns what went wrong and what the user can do, as a sentence; undefined for a bug. */
function sentence(error: unknown): string | undefined {
  if (
    error instanceof ArchiveProblem ||
    error instanceof CommandProblem ||
    error instanceof ReindexProblem ||
    error instanceof SameDatabase ||
    error instanceof UnusableDatabase ||
    error instanceof UnusableSystemSecret
  )
    return error.message;
  if (error instanceof Error && 'syscall' in error)
    return 'path' in error ? `${error.path}: ${error.message}` : error.message;
  if (error instanceof DependencyFailure) return `${error.message}. Run the same command again when it is back.`;
  return undefined;
}

/** Moves tokens after `--`, because one token in 64 begins with a dash and would be parsed as an option. */
function withTokensLast(args: string[]): string[] {
  const isToken = (arg: string) => arg.startsWith('-') && asToken(arg) === arg;
  if (args.includes('--')) return args;
  return [...args.filter((arg) => !isToken(arg)), '--', ...args.filter(isToken)];
}

onLostReader(() => false);

try {
  await runSubcommand(program, withTokensLast(process.argv.slice(2)));
  if (interruption.wanted) {
    console.error('Stopped. Run the same command again to continue.');
    status = interruption.exitCode;
  }
} catch (error) {
  console.error(sentence(error) ?? error);
  status = error instanceof CommandProblem ? error.exitStatus : 1;
}
// Exit explicitly, because connection pools would keep the process running for a while. Exit only after all output is
// written to a pipe, because the rest would be lost.
process.stdout.write('', () => process.exit(status));
