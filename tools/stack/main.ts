import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { runSubcommand } from '../cli/command-line.ts';
import { onLostReader } from '../cli/output.ts';
import { CommandProblem, printFailure, wrongUsage } from '../cli/problem.ts';
import { chooseAndSaveProvider, currentProvider, nothingUp } from './choosing.ts';
import { stackCommand } from './command.ts';
import { deployToAws } from './deploy.ts';
import { forgetDeployment, readDeployment } from './deployment.ts';
import { stackFolder } from './folders.ts';
import { printFunctionLogs } from './function-logs.ts';
import { locked } from './lock.ts';
import { runSteps } from './progress.ts';
import { readSettings } from './settings.ts';
import { printStatus } from './status.ts';
import { addServerFoldersToPath } from './tools.ts';
import { bringUp, deployTo } from './up.ts';
import { readWanted } from './wanted.ts';

/** The exit status of `status` when a part is stopped. */
const stoppedStatus = 3;

/** Whether the stack is being changed. */
let changing = false;

/** Runs the work while no other command changes the stack of this checkout. */
function alone<Result>(work: () => Promise<Result>): Promise<Result> {
  changing = true;
  return locked(stackFolder, work, () => console.error('Another script/stack is running for this checkout; waiting.'));
}

const printApi = (): void => {
  const deployment = readDeployment();
  if (deployment)
    console.log(
      `\n  API      ${deployment.url}\n  Console  ${deployment.url}/console\n  Docs     ${deployment.url}/docs\n`,
    );
};

const program = stackCommand({
  up: ({ servicesOnly }) =>
    alone(async () => {
      const provider = await chooseAndSaveProvider(readWanted(program.opts(), process.env), console.log);
      await bringUp(provider);
      if (servicesOnly) return;
      await deployTo(provider, false);
      printApi();
    }),

  deploy: ({ aws, context }) =>
    alone(async () => {
      if (context.length > 0 && !aws)
        throw wrongUsage('--context needs --aws: on an emulator, script/stack chooses the flags.');
      if (aws) {
        let url = '';
        const run = async (say: (line: string) => void) => {
          url = await deployToAws(context, say);
        };
        await runSteps([{ title: 'Deployment to AWS', run }], { concurrent: false });
        console.log(`\n  API    ${url}\n`);
        return;
      }
      const provider = currentProvider();
      await bringUp(provider);
      await deployTo(provider, true);
      printApi();
    }),

  url: async () => {
    const deployment = readDeployment();
    if (!deployment) throw new CommandProblem('Nothing is deployed from this checkout: run script/stack up.');
    console.log(deployment.url);
  },

  status: async () => {
    const parts = readSettings() ? await currentProvider().parts() : [];
    if (parts.length === 0) console.error(nothingUp);
    const all = parts.length > 0 && (await printStatus(parts, readDeployment()));
    if (!all) process.exitCode = stoppedStatus;
  },

  logs: async (part, { follow = false, lines }) => {
    if (!/^[0-9]{1,5}$/.test(lines)) throw wrongUsage('--lines must be a whole number from 0 to 99999.');
    const provider = currentProvider();
    const parts = [...(await provider.parts()).map(({ name }) => name), 'functions'];
    if (part !== undefined && !parts.includes(part))
      throw wrongUsage(`There is no part ${part}; choose one of ${parts.join(', ')}.`);
    const ofFunctions = part === undefined || part === 'functions';
    await Promise.all([
      part !== 'functions' && provider.printLogs(part, Number(lines), follow),
      ofFunctions && printFunctionLogs(provider.servers.awsEndpoint, Number(lines), follow),
    ]);
  },

  down: ({ deleteData, yes }) =>
    alone(async () => {
      if (deleteData && !yes && !(await confirmed())) return;
      if (!readSettings()) return;
      const provider = currentProvider();
      await runSteps([{ title: 'Stopping the servers', run: () => provider.stop() }], { concurrent: false });
      if (!deleteData) return;
      await provider.deleteData();
      forgetDeployment();
      rmSync(stackFolder, { recursive: true, force: true });
    }),
});

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw wrongUsage('--delete-data asks for confirmation, which needs a terminal; add --yes to skip it.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question("Delete all data of this checkout's stack? [y/N] ");
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

onLostReader(() => changing);
addServerFoldersToPath();
try {
  await runSubcommand(program, process.argv.slice(2));
} catch (error) {
  process.exitCode = printFailure(error);
}
