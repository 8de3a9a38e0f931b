import { Command, Option } from 'commander';
import { providerNames } from './provider.ts';

/** What the program does for each of its commands, with the flags as they were given. */
export interface Actions {
  up: (flags: { servicesOnly?: boolean }) => Promise<void>;
  deploy: (flags: { aws?: boolean; context: string[] }) => Promise<void>;
  url: () => Promise<void>;
  status: () => Promise<void>;
  logs: (part: string | undefined, flags: { follow?: boolean; lines: string }) => Promise<void>;
  down: (flags: { deleteData?: boolean; yes?: boolean }) => Promise<void>;
}

const examples = (...lines: string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ script/stack ${line}`).join('\n')}\n`;

const collect = (value: string, before: string[]): string[] => [...before, value];

/** The command line of script/stack. */
export function stackCommand(actions: Actions): Command {
  const program = new Command('script/stack')
    .description(
      'Brings up the servers that the AWS engine needs, on this machine alone, and deploys to them. What is chosen at the first up stays until it is chosen otherwise.',
    )
    .helpOption('-h, --help', 'show this')
    .helpCommand(false)
    .addOption(
      new Option('--provider <name>', `${providerNames.join(', ')}; the first that is there, else`).env(
        'STACK_PROVIDER',
      ),
    )
    .addOption(new Option('--aws-port <number>', 'port of the AWS emulator; a free one, else').env('STACK_AWS_PORT'))
    .addOption(new Option('--mysql-port <number>', 'port of the SQL server; a free one, else').env('STACK_MYSQL_PORT'))
    .addOption(
      new Option('--opensearch-port <number>', 'port of OpenSearch; a free one, else').env('STACK_OPENSEARCH_PORT'),
    )
    .addHelpText('after', examples('up', 'url', 'status', 'down'));

  program
    .command('up')
    .description(
      'bring up what does not run, migrate, and deploy what is not deployed; changes nothing when all is there',
    )
    .option('--services-only', 'deploy nothing')
    .addHelpText('after', examples('up', 'up --services-only', '--provider native --aws-port 4566 up'))
    .action((flags) => actions.up(flags));
  program
    .command('deploy')
    .description('deploy the code that is here to the servers that run')
    .option('--aws', 'deploy to the AWS account that the shell is set to use, and to no emulator')
    .option('-c, --context <name=value>', 'flag for the CDK app, with --aws; may be repeated', collect, [])
    .addHelpText('after', examples('deploy', 'deploy --aws -c stage=prod'))
    .action((flags) => actions.deploy(flags));
  program
    .command('url')
    .description('print the base URL of the deployed API, and nothing else')
    .addHelpText('after', examples('url', 'url | xargs -I{} curl {}/health'))
    .action(() => actions.url());
  program
    .command('status')
    .description('print what runs and where; the exit status is 3 when something does not')
    .addHelpText('after', examples('status'))
    .action(() => actions.status());
  program
    .command('logs')
    .argument('[part]', 'a part of the status, or functions; all of them, else')
    .description('print the last log lines of the servers and of the functions')
    .option('-f, --follow', 'print new ones, too, until Ctrl-C')
    .option('-n, --lines <number>', 'so many of each', '30')
    .addHelpText('after', examples('logs', 'logs functions --follow', 'logs opensearch --lines 100'))
    .action((part, flags) => actions.logs(part, flags));
  program
    .command('down')
    .description('end what up started, and nothing else; the data stays')
    .option('--delete-data', 'delete the data, too')
    .option('--yes', 'don’t ask')
    .addHelpText('after', examples('down', 'down --delete-data --yes'))
    .action((flags) => actions.down(flags));
  return program;
}
