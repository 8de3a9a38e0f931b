import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { emulatedAccount } from '../../infra/emulated-account.ts';
import { CommandProblem } from '../cli/problem.ts';
import { emulatedApiUrl } from './api-url.ts';
import { cdk, emulatorEnvironment } from './cdk.ts';
import { credentials } from './credentials.ts';
import { databaseSecret, userSecrets } from './database-secret.ts';
import { apiResponds, forgetDeployment, readDeployment, saveDeployment } from './deployment.ts';
import { requireLoopback } from './endpoint.ts';
import { fingerprint } from './fingerprint.ts';
import { makeFolder, stackFolder } from './folders.ts';
import type { Servers } from './provider.ts';
import type { Say } from './run.ts';

/** The outputs that cdk writes for the deployed stacks. One of them has the API's address. */
const outputs = z.record(z.string(), z.record(z.string(), z.string()));

const deployFlags = ['--all', '--require-approval', 'never', '--progress', 'events', '--ci'];

/** Returns whether the code of this checkout is deployed to these servers and its API responds. */
export async function isDeployed(servers: Servers): Promise<boolean> {
  const last = readDeployment();
  return (
    last?.endpoint === servers.awsEndpoint && last.fingerprint === fingerprint(servers) && (await apiResponds(last))
  );
}

/**
 * Deploys the code of this checkout to the emulator.
 *
 * @returns the API's base URL
 * @throws CommandProblem when the endpoint is not on this machine, or the deployment fails
 */
export async function deployToEmulator(servers: Servers, say: Say): Promise<string> {
  const { awsEndpoint, fromFunctions, hasFeed } = servers;
  requireLoopback(awsEndpoint);
  const made = { endpoint: awsEndpoint, fingerprint: fingerprint(servers) };
  const env = emulatorEnvironment(awsEndpoint);
  forgetDeployment();
  say('Bootstrapping');
  await cdk(['bootstrap', `aws://${emulatedAccount}/${credentials.AWS_REGION}`], env, say);
  say('Bundling the functions');
  const context = {
    stage: 'local',
    mysqlUrl: fromFunctions.mysqlUrl,
    mysqlSecret: databaseSecret,
    mysqlReaderSecret: userSecrets.reads,
    mysqlWorkerSecret: userSecrets.work,
    opensearchUrl: fromFunctions.opensearchUrl,
    feed: hasFeed ? 'on' : 'off',
  };
  const output = await deploy(
    Object.entries(context).map(([name, value]) => `${name}=${value}`),
    env,
    say,
  );
  const url = emulatedApiUrl(awsEndpoint, output);
  saveDeployment({ ...made, url });
  return url;
}

/**
 * Deploys the code of this checkout to the AWS account that the shell is configured for.
 *
 * @param context the flags of the CDK app, each `name=value`
 * @returns the API's base URL
 */
export async function deployToAws(context: string[], say: Say): Promise<string> {
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, ...env } = process.env;
  if (AWS_ENDPOINT_URL || AWS_ENDPOINT_URL_S3)
    throw new CommandProblem('AWS_ENDPOINT_URL is set, but --aws deploys to AWS: unset it first.');
  say('Bootstrapping');
  await cdk(['bootstrap'], env, say);
  say('Bundling the functions');
  // Without --force, cdk skips a stack whose template has not changed, although it may have to read new outputs of the
  // data stack (docs/deploying.md).
  return (await deploy(context, env, say, ['--force'])).replace(/\/$/, '');
}

/** Runs cdk deploy. @returns the stack's output with the API's address */
async function deploy(context: string[], env: NodeJS.ProcessEnv, say: Say, more: string[] = []): Promise<string> {
  const file = path.join(makeFolder(stackFolder), 'outputs.json');
  const flags = context.flatMap((each) => ['--context', each]);
  await cdk(['deploy', ...deployFlags, ...more, '--outputs-file', file, ...flags], env, say);
  const all = outputs.parse(JSON.parse(readFileSync(file, 'utf8')));
  const url = Object.values(all)
    .map(({ ApiUrl }) => ApiUrl)
    .find((each) => each !== undefined);
  if (!url) throw new CommandProblem(`The deployed stacks have no output ApiUrl; see ${file}.`);
  return url;
}
