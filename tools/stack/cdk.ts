import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { CommandProblem } from '../cli/problem.ts';
import { project } from '../cli/project.ts';
import { credentials } from './credentials.ts';
import { logFolder, makeFolder } from './folders.ts';
import { lastLines } from './last-lines.ts';
import type { Say } from './run.ts';

export const deployLog = path.join(logFolder, 'deploy.log');

/** The number of log lines to show when cdk fails. */
const shownLines = 25;

/**
 * Matches an event of CloudFormation, as cdk prints it: `Stack | 3/27 | 11:02:01 | CREATE_COMPLETE | AWS::SQS::Queue |
 * Name (Id)`.
 */
const resourceEvent = /\|\s*(\d+\/\d+)\s*\|[^|]*\|\s*(\w+)\s*\|\s*([\w:]+)\s*\|\s*(\S+)/;

/**
 * Returns the environment for cdk on an emulator, without any AWS variable of the shell, so that cdk cannot reach a
 * real account.
 */
export function emulatorEnvironment(endpoint: string, shell: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = Object.entries(shell).filter(([name]) => !/^(AWS_|CDK_)/.test(name));
  return {
    ...Object.fromEntries(kept),
    ...credentials,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    NO_PROXY: [shell.NO_PROXY, 'localhost', '127.0.0.1', '::1'].filter(Boolean).join(','),
  };
}

/**
 * Runs cdk. Passes each change of a resource to `say`, and writes all output to the log.
 *
 * @throws CommandProblem with the end of the log when it fails
 */
export async function cdk(args: string[], env: NodeJS.ProcessEnv, say: Say): Promise<void> {
  makeFolder(logFolder);
  const log = createWriteStream(deployLog, { flags: 'a' });
  log.write(`\n$ cdk ${args.join(' ')}\n`);
  const child = spawn(path.join(project, 'node_modules/.bin/cdk'), [...args, '--no-notices', '--no-color'], {
    cwd: project,
    env: {
      ...env,
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      PATH: [path.dirname(process.execPath), env.PATH].join(path.delimiter),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => {
      log.write(`${line}\n`);
      const [, count, state, type, name] = resourceEvent.exec(line) ?? [];
      if (count) say(`${count} ${state} ${type} ${name}`);
    });
  const status = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  log.end();
  await finished(log);
  if (status !== 0)
    throw new CommandProblem(
      `cdk ${args[0]} ended with ${status}:\n\n${lastLines(deployLog, shownLines)}\n\nFull log: ${deployLog}`,
    );
}
