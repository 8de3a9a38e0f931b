import { Command, Option } from 'commander';
import { stages } from '../../../infra/config.ts';
import { readFlags, stageIn } from '../../../infra/flags.ts';
import { InvalidFlags } from '../../../infra/parse-flags.ts';
import { isSingle } from '../../../infra/single-flags.ts';
import { readStageFile } from '../../../infra/stage-files.ts';
import { collect, runSubcommand } from '../../cli/command-line.ts';
import { count } from '../../cli/numbers.ts';
import { onLostReader } from '../../cli/output.ts';
import { CommandProblem, printFailure, wrongUsage } from '../../cli/problem.ts';
import { table } from '../../cli/table.ts';
import { type Aws, AwsRefusal, awsCli } from './aws-cli.ts';
import { preflight, targetOf } from './checks.ts';

/** The flags of the command line as CDK's context: `name=value`. */
function contextOf(flags: string[]): Record<string, unknown> {
  const wrong = flags.find((flag) => !/^\w+=/.test(flag));
  if (wrong !== undefined) throw wrongUsage(`-c ${wrong} must be name=value.`);
  return Object.fromEntries(flags.map((flag) => [flag.split('=', 1)[0], flag.slice(flag.indexOf('=') + 1)]));
}

async function run(aws: Aws, flags: string[]): Promise<void> {
  const context = contextOf(flags);
  if (isSingle(context)) throw wrongUsage('Stage single needs no check; docs/single.md says how to deploy it.');
  const stage = stageIn(context);
  if ('account' in stages[stage]) throw wrongUsage(`Stage ${stage} is deployed to emulators only.`);
  const deployment = readFlags(context, readStageFile(stage));
  const { account, region } = await targetOf(aws);
  console.log(`Account ${account}, region ${region}, stage ${deployment.name}`);
  const findings = await preflight(aws, deployment);
  const [, ...lines] = table(
    ['', '', ''],
    findings.map(({ kind, check, text }) => [kind, check, text]),
  );
  for (const line of lines) console.log(line);
  const [problems, warnings] = (['problem', 'warning'] as const).map(
    (kind) => findings.filter((finding) => finding.kind === kind).length,
  ) as [number, number];
  console.log(`${count(problems, 'problem')}, ${count(warnings, 'warning')}.`);
  if (problems > 0) process.exitCode = 1;
}

const program = new Command('script/preflight')
  .description(
    'Checks that a stage can be deployed to the account and region of the AWS CLI. It only reads. Run it before the first deployment of a stage, and after a change of its flags.',
  )
  .helpOption('-h, --help', 'show this')
  .allowExcessArguments(false)
  .addOption(
    new Option('-c, --context <name=value>', 'flag of the CDK app, such as stage=prod; may be repeated')
      .argParser(collect)
      .default([], 'those in infra/stages/<stage>.json'),
  )
  .addHelpText(
    'after',
    `
Examples:
  $ script/preflight -c stage=prod
  $ AWS_REGION=eu-central-1 script/preflight

Exit status: 0 no problem, 1 problems, 2 wrong usage.
`,
  )
  .action(({ context }: { context: string[] }) => run(awsCli, context));

/** Returns the error as a sentence for the user, if it is one. */
function explained(error: unknown): unknown {
  if (error instanceof InvalidFlags) return wrongUsage(error.message);
  if (error instanceof AwsRefusal) return new CommandProblem(`AWS refused a call (${error.code}): ${error.message}`);
  return error;
}

onLostReader(() => false);
try {
  await runSubcommand(program, process.argv.slice(2));
} catch (error) {
  process.exitCode = printFailure(explained(error));
}
