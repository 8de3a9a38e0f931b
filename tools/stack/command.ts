import { Command, Option } from 'commander';
import { collect, examplesOf } from '../cli/command-line.ts';
import { providerNames } from './provider.ts';

/** What each command does; the flags are unparsed. */
export interface Actions {
  up: (flags: { servicesOnly?: boolean }) => Promise<void>;
  deploy: (flags: { aws?: boolean; context: string[] }) => Promise<void>;
  url: () => Promise<void>;
  status: () => Promise<void>;
  logs: (part: string | undefined, flags: { follow?: boolean; lines: string }) => Promise<void>;
  down: (flags: { deleteData?: boolean; yes?: boolean }) => Promise<void>;
}

const examples = (...lines: string[]): string => examplesOf('script/stack', lines);

/** The command line of script/stack. */
export function stackCommand(actions: Actions): Command {
  const program = new Command('script/stack')
    .description(
      'Starts the servers that the AWS engine needs, on this machine only, and deploys to them. The choices of the first up are kept until you choose otherwise.',
    )
    .helpOption('-h, --help', 'show this')
    .helpCommand(false)
    .addOption(
      new Option(
        '--provider <name>',
        `${providerNames.join(', ')} (default: external if AWS_ENDPOINT_URL, MYSQL_URL and OPENSEARCH_URL are set, else the choice of the earlier up, else docker if an engine responds, else native)`,
      ).env('STACK_PROVIDER'),
    )
    .addOption(
      new Option('--aws-port <number>', 'port of the AWS emulator (default: a free one)').env('STACK_AWS_PORT'),
    )
    .addOption(
      new Option('--mysql-port <number>', 'port of the SQL server (default: a free one)').env('STACK_MYSQL_PORT'),
    )
    .addOption(
      new Option('--opensearch-port <number>', 'port of OpenSearch (default: a free one)').env('STACK_OPENSEARCH_PORT'),
    )
    .addHelpText('after', examples('up', 'url', 'status', 'down'));

  program
    .command('up')
    .description(
      'start the stopped servers, migrate, and deploy if the code has changed; changes nothing when everything is up',
    )
    .option('--services-only', 'do not deploy')
    .addHelpText('after', examples('up', 'up --services-only', '--provider native --aws-port 4566 up'))
    .action((flags) => actions.up(flags));
  program
    .command('deploy')
    .description('deploy the code of this checkout to the running servers')
    .option('--aws', 'deploy to the AWS account that the shell is configured for, not to an emulator')
    .option('-c, --context <name=value>', 'flag of the CDK app, with --aws; may be repeated', collect, [])
    .addHelpText('after', examples('deploy', 'deploy --aws -c stage=prod'))
    .action((flags) => actions.deploy(flags));
  program
    .command('url')
    .description('print the base URL of the deployed API, and nothing else')
    .addHelpText('after', examples('url', 'url | xargs -I{} curl {}/health'))
    .action(() => actions.url());
  program
    .command('status')
    .description('print the state and address of every part; the exit status is 3 when a part is stopped')
    .addHelpText('after', examples('status'))
    .action(() => actions.status());
  program
    .command('logs')
    .argument('[part]', 'a part that status prints, or functions (default: all)')
    .description('print the last log lines of the servers and functions')
    .option('-f, --follow', 'keep printing new lines until Ctrl-C')
    .option('-n, --lines <number>', 'number of lines to print of each part', '30')
    .addHelpText('after', examples('logs', 'logs functions --follow', 'logs opensearch --lines 100'))
    .action((part, flags) => actions.logs(part, flags));
  program
    .command('down')
    .description('stop the servers that up started, and nothing else; keeps the data')
    .option('--delete-data', 'also delete the data')
    .option('--yes', 'do not ask for confirmation')
    .addHelpText('after', examples('down', 'down --delete-data --yes'))
    .action((flags) => actions.down(flags));
  return program;
}
