import { LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import { CommandProblem } from '../cli/problem.ts';
import { awsClient } from './aws-client.ts';
import { credentials } from './credentials.ts';
import { userSecrets } from './database-secret.ts';
import type { Servers } from './provider.ts';

/**
 * Returns an environment in which this machine can create the services of the functions that are deployed to the
 * emulator: the variables of all functions, with server addresses that work on this machine, and with the SQL user of
 * the workers.
 *
 * @throws CommandProblem when the emulator does not respond, or nothing is deployed there
 */
export async function functionsEnvironment(servers: Servers): Promise<Record<string, string>> {
  const { awsEndpoint, mysqlUrl, opensearchUrl } = servers;
  const client = new LambdaClient(awsClient(awsEndpoint));
  const variables: Record<string, string> = {};
  try {
    for await (const { Functions = [] } of paginateListFunctions({ client }, {}))
      for (const { Description, Environment } of Functions)
        if (Description?.startsWith('chat-system: ')) Object.assign(variables, Environment?.Variables);
  } catch (error) {
    throw new CommandProblem(`The AWS emulator at ${awsEndpoint} does not respond: run script/stack up.`, {
      cause: error,
    });
  } finally {
    client.destroy();
  }
  if (!variables.LEDGER_TABLE) throw new CommandProblem('Nothing is deployed from this checkout: run script/stack up.');
  return {
    ...variables,
    ...credentials,
    AWS_ENDPOINT_URL: awsEndpoint,
    MYSQL_URL: mysqlUrl,
    MYSQL_SECRET: userSecrets.work,
    MYSQL_USE: 'work',
    OPENSEARCH_URL: opensearchUrl,
  };
}
