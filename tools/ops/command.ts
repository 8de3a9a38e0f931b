import { Argument, Command, Option } from 'commander';
import { type AwsQueue, awsQueues } from '../../functions/queues.ts';
import { examplesOf } from '../cli/command-line.ts';
import { dataFolderOption } from '../cli/data-folder.ts';

/** What each command does; the flags are unparsed. */
export interface Actions {
  backup: (folder: string) => Promise<void>;
  listDeadLetters: (
    queue: AwsQueue | undefined,
    flags: { limit: string; json?: boolean; show?: boolean },
  ) => Promise<void>;
  redrive: (queue: AwsQueue | undefined, flags: { dryRun?: boolean }) => Promise<void>;
  export: (token: string, flags: { output?: string }) => Promise<void>;
  import: (file: string, flags: { dryRun?: boolean }) => Promise<void>;
  reconcile: (token: string | undefined, flags: { repair?: boolean; json?: boolean }) => Promise<void>;
  reindex: (flags: { dryRun?: boolean; abort?: boolean }) => Promise<void>;
  restoreSql: (url: string, flags: { yes?: boolean }) => Promise<void>;
}

const examples = (...lines: string[]): string => examplesOf('script/ops', lines);

const queue = () => new Argument('[queue]', 'only this queue (default: every queue)').choices(awsQueues);

const dryRun = () => new Option('--dry-run', 'print what would be done, and change nothing');

/** The command line of script/ops. */
export function opsCommand(actions: Actions): Command {
  const program = new Command('script/ops')
    .description(
      'Maintains the data of a chat system. You can stop every command with Ctrl-C and run it again: it resumes, or safely repeats its work.',
    )
    .helpOption('-h, --help', 'show this')
    .helpCommand(false)
    .addOption(
      dataFolderOption('data folder of a system on this machine, which must be stopped for commands that write'),
    )
    .addOption(
      new Option('--stack', 'work on the system that script/stack deployed from this checkout').conflicts('aws'),
    )
    .addOption(
      new Option('--aws', 'work on the deployed system that the environment variables describe (docs/operations.md)'),
    )
    .addHelpText(
      'after',
      `${examples('dead-letters list', '--stack dead-letters redrive store')}
Exit status: 0 done, 1 failed or differences left (reconcile), 2 wrong usage, 130 stopped with Ctrl-C.
`,
    );

  program
    .command('backup')
    .argument('<folder>', 'a new folder to create; its parent must exist')
    .description('copy a data folder, even while the system is running on it, and check the copy; for cron and timers')
    .addHelpText(
      'after',
      `${examples('backup /var/backups/chat/$(date +%F)', '--data-dir /srv/chat backup /mnt/backups/chat-$(date +%F-%H%M)')}
The folder exists only if the backup is complete and checked. Without a terminal, only failures are printed.
To restore, stop the system and copy the folder to the place of the data folder (docs/restoring.md).
Old backups are not deleted. To keep those of two weeks:

  find /var/backups/chat -mindepth 1 -maxdepth 1 -mtime +14 -exec rm -r {} +
`,
    )
    .action((folder) => actions.backup(folder));
  const deadLetters = program
    .command('dead-letters')
    .description('records that the workers could not process')
    .helpCommand(false);
  deadLetters
    .command('list')
    .addArgument(queue())
    .description('print their age, reason and subject; changes nothing')
    .option('--limit <number>', 'maximum number of dead letters to print of each queue', '100')
    .option('--json', 'print each dead letter as one line of JSON')
    .option('--show', 'also print their content, which contains tokens and texts')
    .addHelpText('after', examples('dead-letters list', 'dead-letters list store --json', '--stack dead-letters list'))
    .action((name, flags) => actions.listDeadLetters(name, flags));
  deadLetters
    .command('redrive')
    .addArgument(queue())
    .description('send dead letters back to their queue; a record that fails again becomes a dead letter again')
    .addOption(dryRun())
    .addHelpText('after', examples('dead-letters redrive --dry-run', '--stack dead-letters redrive store'))
    .action((name, flags) => actions.redrive(name, flags));
  program
    .command('reindex')
    .description('rebuild the search index from SQL and switch searches to it; resumes an unfinished rebuild')
    .addOption(dryRun())
    .option('--abort', 'drop an unfinished rebuild and keep the current index')
    .addHelpText('after', examples('--stack reindex --dry-run', '--stack reindex', '--stack reindex --abort'))
    .action((flags) => actions.reindex(flags));
  program
    .command('export')
    .argument('<token>', 'the token of the application')
    .description('write an application with its chats and messages as NDJSON; changes nothing')
    .option('--output <file>', 'a new file to write to (default: standard output)')
    .addHelpText(
      'after',
      examples('export IUCX9kZr5TdMeK6-ArrdJw > app.ndjson', '--stack export <token> --output app.ndjson'),
    )
    .action((token, flags) => actions.export(token, flags));
  program
    .command('import')
    .argument('<file>', 'a file that export wrote; - for standard input')
    .description(
      'import an exported application into this system, under its token, after checking the whole file; an import may be repeated. A data folder that does not exist is created',
    )
    .addOption(dryRun())
    .addHelpText('after', examples('import app.ndjson --dry-run', '--stack import app.ndjson', 'import - < app.ndjson'))
    .action((file, flags) => actions.import(file, flags));
  program
    .command('reconcile')
    .argument('[token]', 'the token of one application (default: all)')
    .description(
      'compare ledger, SQL and search index, and print every difference; the exit status is 1 when some are left',
    )
    .option('--repair', 'repair what can be repaired (default: change nothing)')
    .option('--json', 'print each difference as one line of JSON, with full tokens')
    .addHelpText('after', examples('reconcile', '--stack reconcile --repair', '--stack reconcile <token> --json'))
    .action((token, flags) => actions.reconcile(token, flags));
  program
    .command('restore-sql')
    .argument('<url>', 'the restored database, without a password: mysql://user@host:port/database?ssl=Amazon%20RDS')
    .description('replace everything in SQL with the content of a restored database (docs/restoring.md)')
    .option('--yes', 'confirm that everything in SQL is deleted')
    .addHelpText(
      'after',
      examples("--aws restore-sql --yes 'mysql://chat_worker@restored.example/chat?ssl=Amazon%20RDS'"),
    )
    .action((url, flags) => actions.restoreSql(url, flags));
  return program;
}
