import { Command, Option } from 'commander';
import * as z from 'zod';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import { apiStage } from '../../local/lambda-events.ts';
import { loadOperations } from '../../local/operations.ts';
import { createServer } from '../../local/server.ts';
import { Traffic } from '../../local/traffic.ts';
import { parseSettings } from '../cli/command-line.ts';
import { printFailure } from '../cli/problem.ts';
import { startAwsEngine } from './aws-engine.ts';
import { currentProvider } from './choosing.ts';
import { credentials } from './credentials.ts';
import { databaseSecret, ensureDatabaseSecret } from './database-secret.ts';

const schema = z.object({ port: z.coerce.number('--port must be a number.').int().min(0).max(65_535) });

const command = new Command('npm run dev --')
  .description(
    'Runs the functions in this process on the servers of script/stack, and restarts when a file changes. The functions use their own table, queues and database, so they do not disturb the deployed stack.',
  )
  .addOption(new Option('--port <number>', 'port to listen on; 0 picks a free one').env('PORT').default('3001'));

try {
  const settings = parseSettings(command, schema, process.argv.slice(2));
  if (settings) {
    const { servers } = currentProvider();
    Object.assign(process.env, credentials, { AWS_ENDPOINT_URL: servers.awsEndpoint });
    setLogLevel('debug');
    await ensureDatabaseSecret(servers.awsEndpoint, servers.mysqlPassword);
    const services = await startAwsEngine({ ...servers, mysqlSecret: databaseSecret });
    const server = createServer(
      await loadOperations({ ...services, adminKey: undefined }),
      { adminKey: undefined, onLoopback: true, access: services.access, isKnown: () => true },
      { traffic: new Traffic({ isVerbose: true, followers: () => 0 }) },
    );
    await server.listen({ port: settings.port, host: '127.0.0.1' });
    console.log(`The functions are served at http://localhost:${server.port}/${apiStage}. Stop them with Ctrl-C.`);
    // There is nothing to wait for: SQS redelivers unfinished batches after their visibility timeout.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));
  }
} catch (error) {
  process.exit(printFailure(error));
}
