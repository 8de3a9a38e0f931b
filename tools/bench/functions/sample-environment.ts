import type * as z from 'zod';
import { queueProviders } from '../../../functions/aws/queues.ts';
import { awsQueues, queueVariables } from '../../../functions/queues.ts';
import { type FunctionName, functions, kebabCase, providerOf } from '../../../infra/functions.ts';

const examples: Record<string, string> = {
  ADMIN_KEY_SECRET: 'open',
  FEED_URL: 'http://127.0.0.1:1/event',
  LEDGER_TABLE: 'ledger',
  MYSQL_SECRET: 'database',
  MYSQL_URL: 'mysql://chat@127.0.0.1:1/chat',
  OPENSEARCH_URL: 'http://127.0.0.1:1',
  ...Object.fromEntries(
    awsQueues.flatMap((name) =>
      Object.values(queueVariables(name)).map((variable) => [variable, `http://127.0.0.1:1/${variable}`]),
    ),
  ),
  SYSTEM_NAME: 'test',
  SYSTEM_SECRET: 'system-secret',
};

/** Returns the environment variables that the services of a function read. */
export async function variablesOf(name: FunctionName): Promise<{ required: string[]; optional: string[] }> {
  const required: string[] = [];
  const optional: string[] = [];
  for (const need of functions[name].needs) {
    const of = providerOf(functions[name], need);
    const { [of]: provider } =
      of in queueProviders ? { ...queueProviders } : await import(`../../../functions/aws/${kebabCase(of)}.ts`);
    for (const [variable, schema] of Object.entries(provider.variables as Record<string, z.ZodType>))
      (schema.safeParse(undefined).success ? optional : required).push(variable);
  }
  return { required, optional };
}

/** Returns an environment in which a function can start. Nothing listens at its addresses. */
export async function environmentOf(name: FunctionName): Promise<Record<string, string>> {
  const { required } = await variablesOf(name);
  return Object.fromEntries(required.map((variable) => [variable, examples[variable] as string]));
}
