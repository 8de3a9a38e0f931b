import * as z from 'zod';
import { parseOrExplain, wholeNumber } from '../cli/command-line.ts';
import { wrongUsage } from '../cli/problem.ts';
import { providerNames } from './provider.ts';
import type { Wanted } from './settings.ts';

const port = (flag: string, variable: string) => wholeNumber(`${flag} (${variable})`, 1, 65_535).optional();

const url = (variable: string, protocols: RegExp, example: string) =>
  z.url({ protocol: protocols, error: `${variable} must be a URL like ${example}.` }).optional();

const flags = z.object({
  provider: z
    .enum(providerNames, { error: `--provider (STACK_PROVIDER) must be one of ${providerNames.join(', ')}.` })
    .optional(),
  awsPort: port('--aws-port', 'STACK_AWS_PORT'),
  mysqlPort: port('--mysql-port', 'STACK_MYSQL_PORT'),
  opensearchPort: port('--opensearch-port', 'STACK_OPENSEARCH_PORT'),
  AWS_ENDPOINT_URL: url('AWS_ENDPOINT_URL', /^https?$/, 'http://localhost:4566'),
  MYSQL_URL: url('MYSQL_URL', /^mysql$/, 'mysql://user:password@localhost:3306/chat'),
  OPENSEARCH_URL: url('OPENSEARCH_URL', /^https?$/, 'http://localhost:9200'),
});

/**
 * Reads the choices of the user from the flags and the environment.
 *
 * @throws CommandProblem naming every wrong setting
 */
export function readWanted(options: Record<string, unknown>, environment: NodeJS.ProcessEnv): Wanted {
  const { AWS_ENDPOINT_URL, MYSQL_URL, OPENSEARCH_URL } = environment;
  const all = { ...options, AWS_ENDPOINT_URL, MYSQL_URL, OPENSEARCH_URL };
  const { provider, awsPort, mysqlPort, opensearchPort, ...urls } = parseOrExplain(flags, all);
  const ports = { aws: awsPort, mysql: mysqlPort, opensearch: opensearchPort };
  const taken = Object.values(ports).filter((each) => each !== undefined);
  if (new Set(taken).size < taken.length) throw wrongUsage('The three ports must differ.');
  return {
    provider,
    ports,
    ...(urls.AWS_ENDPOINT_URL && urls.MYSQL_URL && urls.OPENSEARCH_URL
      ? {
          external: {
            awsEndpoint: urls.AWS_ENDPOINT_URL,
            mysqlUrl: urls.MYSQL_URL,
            opensearchUrl: urls.OPENSEARCH_URL,
          },
        }
      : {}),
  };
}
