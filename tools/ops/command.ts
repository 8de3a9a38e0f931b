import path from 'node:path';
import { Argument, Command, Option } from 'commander';
import { type QueueName, queueNames } from '../../functions/queues.ts';

const project = path.resolve(import.meta.dirname, '../..');

/** What the program does for each of its commands, with the flags as they were given. */
export interface Actions {
  listDeadLetters: (
    queue: QueueName | undefined,
    flags: { limit: string; json?: boolean; show?: boolean },
  ) => Promise<void>;
  redrive: (queue: QueueName | undefined, flags: { dryRun?: boolean }) => Promise<void>;
  export: (token: string, flags: { output?: string }) => Promise<void>;
  import: (file: string, flags: { dryRun?: boolean }) => Promise<void>;
  reconcile: (token: string | undefined, flags: { repair?: boolean; json?: boolean }) => Promise<void>;
  reindex: (flags: { dryRun?: boolean; abort?: boolean }) => Promise<void>;
}

const examples = (...lines: string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ script/ops ${line}`).join('\n')}\n`;

const queue = () => new Argument('[queue]', 'only this queue; without it, every queue').choices(queueNames);

const dryRun = () => new Option('--dry-run', 'say what would be done, and change nothing');

/** The command line of script/ops. */
export function opsCommand(actions: Actions): Command {
  const program = new Command('script/ops')
    .description(
      'Looks after the data of a chat system. Every command may be stopped with Ctrl-C and run again: it goes on where it was.',
    )
    .helpOption('-h, --help', 'show this')
    .helpCommand(false)
    .addOption(
      new Option('--data-dir <folder>', 'data folder of a system on this machine, which must be stopped')
        .env('DATA_DIR')
        .default(path.join(project, 'data')),
    )
    .addOption(new Option('--stack', 'the system that script/stack deployed from this checkout').conflicts('aws'))
    .addOption(new Option('--aws', 'the deployed system whose functions’ variables the shell has set'))
    .addHelpText(
      'after',
      `${examples('dead-letters list', '--stack dead-letters redrive store')}
Exit status: 0 done, 1 failed or differences left (reconcile), 2 wrong usage, 130 stopped with Ctrl-C.
`,
    );

  const deadLetters = program
    .command('dead-letters')
    .description('what the workers could not work on')
    .helpCommand(false);
  deadLetters
    .command('list')
    .addArgument(queue())
    .description('print them with reason, age, and what they are about; changes nothing')
    .option('--limit <number>', 'at most so many of each queue', '100')
    .option('--json', 'one JSON object a line')
    .option('--show', 'with their content, which holds tokens and texts')
    .addHelpText('after', examples('dead-letters list', 'dead-letters list store --json', '--stack dead-letters list'))
    .action((name, flags) => actions.listDeadLetters(name, flags));
  deadLetters
    .command('redrive')
    .addArgument(queue())
    .description('send them back to their queue, each once; what fails again comes back here')
    .addOption(dryRun())
    .addHelpText('after', examples('dead-letters redrive --dry-run', '--stack dead-letters redrive store'))
    .action((name, flags) => actions.redrive(name, flags));
  program
    .command('reindex')
    .description('build the search index anew from SQL, and let searches move to it; goes on where it was stopped')
    .addOption(dryRun())
    .option('--abort', 'give up what was begun, and keep the index that is searched')
    .addHelpText('after', examples('--stack reindex --dry-run', '--stack reindex', '--stack reindex --abort'))
    .action((flags) => actions.reindex(flags));
  program
    .command('export')
    .argument('<token>', 'the application')
    .description('write an application with its chats and messages as NDJSON; changes nothing')
    .option('--output <file>', 'a new file to write to; standard output, else')
    .addHelpText(
      'after',
      examples('export IUCX9kZr5TdMeK6-ArrdJw > app.ndjson', '--stack export <token> --output app.ndjson'),
    )
    .action((token, flags) => actions.export(token, flags));
  program
    .command('import')
    .argument('<file>', 'what export wrote; - for standard input')
    .description('bring an exported application into this system, under its token; an import may be repeated')
    .addOption(dryRun())
    .addHelpText('after', examples('import app.ndjson --dry-run', '--stack import app.ndjson', 'import - < app.ndjson'))
    .action((file, flags) => actions.import(file, flags));
  program
    .command('reconcile')
    .argument('[token]', 'one application; all, else')
    .description('compare ledger, SQL and search index, and name every difference; exit status 1 when some are left')
    .option('--repair', 'mend what can be mended; nothing is changed, else')
    .option('--json', 'one JSON object a difference, with whole tokens')
    .addHelpText('after', examples('reconcile', '--stack reconcile --repair', '--stack reconcile <token> --json'))
    .action((token, flags) => actions.reconcile(token, flags));
  return program;
}
