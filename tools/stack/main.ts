import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { CommanderError } from 'commander';
import { BadSettings } from '../cli/command-line.ts';
import { settle, settled } from './choosing.ts';
import { stackCommand } from './command.ts';
import { deployToAws } from './deploy.ts';
import { forgetDeployment, readDeployment } from './deployment.ts';
import { stackFolder } from './folders.ts';
import { printFunctionLogs } from './function-logs.ts';
import { locked } from './lock.ts';
import { StackProblem } from './problem.ts';
import { runSteps } from './progress.ts';
import { readSettings } from './settings.ts';
import { printStatus } from './status.ts';
import { findServers } from './tools.ts';
import { bringUp, deployTo } from './up.ts';
import { readWanted } from './wanted.ts';

/** The exit status of `status` when something does not run. */
const notAllRun = 3;

/** One command at a time changes what runs for a checkout. */
const alone = <Result>(work: () => Promise<Result>): Promise<Result> =>
  locked(stackFolder, work, () => console.error('Another script/stack is at work for this checkout; waiting.'));

const printApi = (): void => {
  const deployment = readDeployment();
  if (deployment) console.log(`\n  API    ${deployment.url}\n  Docs   ${deployment.url}/docs\n`);
};

const program = stackCommand({
  up: ({ servicesOnly }) =>
    alone(async () => {
      const provider = await settle(readWanted(program.opts(), process.env), console.log);
      await bringUp(provider);
      if (servicesOnly) return;
      await deployTo(provider, false);
      printApi();
    }),

  deploy: ({ aws, context }) =>
    alone(async () => {
      if (context.length > 0 && !aws)
        throw new BadSettings('--context is for --aws alone: on an emulator, up chooses the flags.');
      if (aws) {
        let url = '';
        const run = async (say: (line: string) => void) => {
          url = await deployToAws(context, say);
        };
        await runSteps([{ title: 'Deployment to AWS', run }], { concurrent: false });
        console.log(`\n  API    ${url}\n`);
        return;
      }
      const provider = settled();
      await bringUp(provider);
      await deployTo(provider, true);
      printApi();
    }),

  url: async () => {
    const deployment = readDeployment();
    if (!deployment) throw new StackProblem('Nothing is deployed from this checkout: run script/stack up.');
    console.log(deployment.url);
  },

  status: async () => {
    const all = await printStatus(await settled().parts(), readDeployment());
    if (!all) process.exitCode = notAllRun;
  },

  logs: async (part, { follow = false, lines }) => {
    if (!/^[0-9]{1,5}$/.test(lines)) throw new BadSettings('--lines must be a whole number up to 99999.');
    const provider = settled();
    const parts = [...(await provider.parts()).map(({ name }) => name), 'functions'];
    if (part !== undefined && !parts.includes(part))
      throw new BadSettings(`There is no part ${part}; there are ${parts.join(', ')}.`);
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
      const provider = settled();
      await runSteps([{ title: 'Ending what runs', run: () => provider.stop() }], { concurrent: false });
      if (!deleteData) return;
      await provider.deleteData();
      forgetDeployment();
      rmSync(stackFolder, { recursive: true, force: true });
    }),
});

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) throw new BadSettings('--delete-data asks first, and here is nobody to answer: add --yes.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question('Delete all data of this checkout’s stack? [y/N] ');
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

findServers();
for (const command of [program, ...program.commands])
  command.exitOverride().configureOutput({ outputError: () => undefined });
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    if (error.exitCode !== 0) {
      console.error(`${error.message.replace(/^error: /, '')}; see script/stack --help.`);
      process.exitCode = 2;
    }
  } else {
    const known = error instanceof StackProblem || error instanceof BadSettings;
    console.error(known ? error.message : error);
    process.exitCode = 1;
  }
}
