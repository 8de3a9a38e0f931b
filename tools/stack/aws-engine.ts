import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand, ResourceExistsException, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { sql } from 'kysely';
import { access } from '../../functions/aws/access.ts';
import { cursors } from '../../functions/aws/cursors.ts';
import { feed } from '../../functions/aws/feed.ts';
import { ledger } from '../../functions/aws/ledger.ts';
import { parkedWrites } from '../../functions/aws/parked-writes.ts';
import { bind } from '../../functions/aws/provider.ts';
import { queueProviders } from '../../functions/aws/queues.ts';
import { searchIndex } from '../../functions/aws/search-index.ts';
import { store } from '../../functions/aws/store.ts';
import { queueNames, queueService, queueVariables } from '../../functions/queues.ts';
import type { Services } from '../../functions/runtime/services.ts';
import { purgeSchedule } from '../../functions/schedule/purge.ts';
import { rollUpSchedule } from '../../functions/schedule/roll-up.ts';
import { sweepSchedule } from '../../functions/schedule/sweep.ts';
import { createLedgerTable } from '../../lib/ledger/dynamodb/schema.ts';
import { limits } from '../../lib/limits.ts';
import type { SqsQueue } from '../../lib/queue/sqs/sqs-queue.ts';
import { migrateMysql } from '../../lib/store/mysql/migration.ts';
import { openMysql } from '../../lib/store/mysql/mysql-store.ts';
import { EventSource, type PolledQueue } from '../../local/event-source.ts';
import { lambdaContext, scheduledEvent } from '../../local/lambda-events.ts';
import { every } from '../../local/schedule.ts';
import { makeWorkers } from '../../local/workers.ts';

/** The name of this process's table and queues, which differ from those of the deployed stack. */
const devLoopName = 'chat-system-dev-loop';
const devLoopDatabase = 'chat_dev_loop';

/** The time between two polls of an empty queue, in milliseconds. */
const pollMs = 300;
/** The time between two runs of a schedule, in milliseconds: shorter than on AWS, so that a developer waits less. */
const scheduleMs = 5_000;
/** The longest time that a scheduled run may take, in milliseconds. */
const scheduleTimeMs = 60_000;
/** The number of records in a batch of a worker; SQS returns at most ten per call. */
const sqsBatch = 10;

/** The running servers that the engine uses. */
export interface AwsServers {
  awsEndpoint: string;
  /** `mysql://user@host:port/database`; the user may create databases. */
  mysqlUrl: string;
  mysqlPassword: string;
  /** The name of the secret with the password. */
  mysqlSecret: string;
  opensearchUrl: string;
}

/**
 * Runs the workers and schedules of the AWS engine in this process until it exits, with their own table, queues and
 * database.
 *
 * @returns the services that the route handlers use
 */
export async function startAwsEngine(servers: AwsServers): Promise<Services> {
  const environment = await makeDevLoopResources(servers);
  const services = await bind(
    { ledger, store, searchIndex, cursors, feed, access, ...queueProviders, parkedWrites },
    environment,
  );

  const workers = await makeWorkers(services);
  for (const name of queueNames) {
    const queue = polled(services[queueService(name)]);
    new EventSource(name, queue, (event) => workers[name](event, lambdaContext(name)), sqsBatch).start();
  }
  const schedules = {
    'roll-up': rollUpSchedule(services),
    purge: purgeSchedule(services),
    sweep: sweepSchedule(services),
  };
  for (const [name, run] of Object.entries(schedules))
    every(scheduleMs, name, () => run(scheduledEvent(), lambdaContext(name, scheduleTimeMs)));
  return services;
}

/** Creates the missing resources, and returns the environment for the functions. */
async function makeDevLoopResources({ mysqlUrl, mysqlPassword, mysqlSecret, opensearchUrl }: AwsServers) {
  await createLedgerTable(new DynamoDBClient(), devLoopName);
  const sqs = new SQSClient();
  const createQueue = async (name: string) =>
    (await sqs.send(new CreateQueueCommand({ QueueName: `${devLoopName}-${name}` }))).QueueUrl as string;
  const queueUrls: Record<string, string> = {};
  for (const name of queueNames) {
    const { url, deadLetterUrl } = queueVariables(name);
    queueUrls[url] = await createQueue(name);
    queueUrls[deadLetterUrl] = await createQueue(`${name}-dead-letters`);
  }

  const devLoopUrl = new URL(mysqlUrl);
  devLoopUrl.pathname = `/${devLoopDatabase}`;
  const settings = {
    connections: 1,
    timeouts: limits.sqlMs.migration,
    login: async () => ({ password: mysqlPassword }),
  };
  const server = openMysql(mysqlUrl, settings);
  await sql`CREATE DATABASE IF NOT EXISTS ${sql.id(devLoopDatabase)}`.execute(server);
  await server.destroy();
  const database = openMysql(devLoopUrl.href, settings);
  await migrateMysql(database);
  await database.destroy();

  return {
    LEDGER_TABLE: devLoopName,
    ...queueUrls,
    MYSQL_URL: devLoopUrl.href,
    MYSQL_SECRET: mysqlSecret,
    MYSQL_USE: 'work',
    OPENSEARCH_URL: opensearchUrl,
    SYSTEM_SECRET: await makeSystemSecret(),
  };
}

/** Creates the system secret if it does not exist, and returns its name. */
async function makeSystemSecret(): Promise<string> {
  const SecretString = JSON.stringify({ key: randomBytes(32).toString('base64url') });
  try {
    await new SecretsManagerClient().send(new CreateSecretCommand({ Name: devLoopName, SecretString }));
  } catch (error) {
    if (!(error instanceof ResourceExistsException)) throw error;
  }
  return devLoopName;
}

/** Wraps an SQS queue for an event source. SQS does not announce new messages, so the queue is polled. */
export const polled = (queue: SqsQueue): PolledQueue => ({
  receive: (max) => queue.receive(max),
  acknowledge: (receipts) => queue.acknowledge(receipts),
  release: (receipts, delaySeconds) => queue.release(receipts, delaySeconds),
  onMessages: () => undefined,
  nextInMs: () => pollMs,
});
