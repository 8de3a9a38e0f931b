import { rmSync } from 'node:fs';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { ledger } from '../../functions/aws/ledger.ts';
import { parkedWrites } from '../../functions/aws/parked-writes.ts';
import { bind } from '../../functions/aws/provider.ts';
import { queueProviders } from '../../functions/aws/queues.ts';
import { searchIndex } from '../../functions/aws/search-index.ts';
import { store } from '../../functions/aws/store.ts';
import { changeQueues, queueNames, queueService, queueVariables } from '../../functions/queues.ts';
import type { BatchHandler } from '../../functions/runtime/worker.ts';
import { rollUpSchedule } from '../../functions/schedule/roll-up.ts';
import { sweepSchedule } from '../../functions/schedule/sweep.ts';
import { createLedgerTable } from '../../lib/ledger/dynamodb/schema.ts';
import { limits } from '../../lib/limits.ts';
import type { DeadLetter } from '../../lib/queue/queue.ts';
import { EventSource } from '../../local/event-source.ts';
import { lambdaContext, scheduledEvent } from '../../local/lambda-events.ts';
import { loadOperations } from '../../local/operations.ts';
import { every } from '../../local/schedule.ts';
import { makeWorkers } from '../../local/workers.ts';
import { polled } from '../../tools/stack/aws-engine.ts';
import { credentials } from '../../tools/stack/credentials.ts';
import { databaseSecret, ensureDatabaseSecret } from '../../tools/stack/database-secret.ts';
import { dataFolder } from '../../tools/stack/folders.ts';
import { migrateSearch, migrateSql } from '../../tools/stack/migrate.ts';
import { mariadb } from '../../tools/stack/native/mariadb.ts';
import { ministack } from '../../tools/stack/native/ministack.ts';
import { opensearch } from '../../tools/stack/native/opensearch.ts';
import { nativeTools } from '../../tools/stack/native/tools.ts';
import { freePort, loopback } from '../../tools/stack/ports.ts';
import { addServerFoldersToPath, requireTools } from '../../tools/stack/tools.ts';
import { testCursors } from '../support/client/cursors.ts';
import { FaultyProxy } from '../support/faults/faulty-proxy.ts';
import { OwnServer } from './own-server.ts';

/** The time limit of the workers here; deployed ones have 60 s. */
const workerTimeMs = 4_000;
/**
 * The visibility timeout of the queues here. It must be longer than the workers' time limit; deployed queues have more
 * than six times that limit.
 */
const visibilitySeconds = 10;
/** Milliseconds between two runs of each schedule. */
const scheduleMs = 2_000;
/** Number of concurrent batches of the store queue, so that they conflict and overtake each other. */
const storeSources = 2;
const sqsBatch = 10;

export type Operations = Awaited<ReturnType<typeof loadOperations>>;

/** The AWS engine on its own servers, with its workers and schedules in this process. */
export interface ChaosEngine {
  sql: OwnServer;
  search: OwnServer;
  /** The connection of every function to SQS. */
  sqs: FaultyProxy;
  /** While true, the store worker hangs after its commit until its time limit. */
  storeWorkerHangs: boolean;
  /** Number of worker time-outs, and of records that the sweeper has sent. */
  figures: { timeouts: number; swept: number };
  /** Returns the operations of the API with connections of their own, like a Lambda function. */
  operations: () => Promise<Operations>;
  ledger: Awaited<ReturnType<(typeof ledger)['create']>>;
  /** Returns the number of dead letters in all queues. */
  deadLetters: () => Promise<number>;
  stop: () => Promise<void>;
}

/** Starts the servers, the workers and the schedules. */
export async function startChaosEngine(): Promise<ChaosEngine> {
  addServerFoldersToPath();
  await requireTools(nativeTools);
  const folder = path.join(dataFolder, 'chaos');
  rmSync(folder, { recursive: true, force: true });
  const [awsPort, mysqlPort, searchPort] = [await freePort(), await freePort(), await freePort()];
  const [mysqlPassword, awsEndpoint] = ['chaos', `http://${loopback}:${awsPort}`];
  const servers = {
    aws: new OwnServer('chaos-ministack', ministack(path.join(folder, 'ministack'), awsPort)),
    sql: new OwnServer('chaos-mariadb', mariadb(path.join(folder, 'mariadb'), mysqlPort, mysqlPassword)),
    search: new OwnServer('chaos-opensearch', opensearch(path.join(folder, 'opensearch'), searchPort)),
  };
  const endServers = async () => {
    await Promise.all(Object.values(servers).map((server) => server.end()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(Object.values(servers).map((server) => server.start()));
    const sqs = await FaultyProxy.to(awsEndpoint);
    Object.assign(process.env, credentials, {
      AWS_ENDPOINT_URL: awsEndpoint,
      AWS_ENDPOINT_URL_SQS: sqs.through(awsEndpoint),
    });
    const addresses = {
      mysqlUrl: `mysql://chat@${loopback}:${mysqlPort}/chat`,
      opensearchUrl: `http://${loopback}:${searchPort}`,
    };
    const reached = { ...addresses, awsEndpoint, mysqlPassword, hasFeed: false, fromFunctions: addresses };
    await Promise.all([migrateSql(reached), migrateSearch(reached), ensureDatabaseSecret(awsEndpoint, mysqlPassword)]);
    const environment = {
      ...(await makeQueues()),
      LEDGER_TABLE: 'chaos',
      MYSQL_URL: addresses.mysqlUrl,
      MYSQL_SECRET: databaseSecret,
      OPENSEARCH_URL: addresses.opensearchUrl,
    };
    await createLedgerTable(new DynamoDBClient(), environment.LEDGER_TABLE);
    const engine = await startFunctions(environment);
    return Object.assign(engine, {
      ...servers,
      sqs,
      stop: async () => {
        await sqs.restore();
        await engine.stopFunctions();
        await sqs.refuse();
        await endServers();
      },
    });
  } catch (error) {
    await endServers();
    throw error;
  }
}

/** Creates the queues as they are deployed, except for the visibility timeout. */
async function makeQueues() {
  const client = new SQSClient();
  const create = async (QueueName: string, Attributes: Record<string, string>) =>
    (await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl as string;
  const made: Record<string, string> = {};
  for (const name of queueNames) {
    const { url, deadLetterUrl } = queueVariables(name);
    const deadLetters = await create(`${name}-dead-letters`, {});
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: deadLetters, AttributeNames: ['QueueArn'] }),
    );
    const queue = await create(name, {
      VisibilityTimeout: String(visibilitySeconds),
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: Attributes?.QueueArn,
        maxReceiveCount: limits.maxReceives,
      }),
    });
    made[url] = queue;
    made[deadLetterUrl] = deadLetters;
  }
  return made;
}

/** Binds workers and schedules with the timeouts of work, and operations with those of reads. */
async function startFunctions(environment: Record<string, string>) {
  const work = { ...environment, MYSQL_USE: 'work' };
  const services = await bind({ ledger, store, searchIndex, ...queueProviders, parkedWrites }, work);
  const state = { storeWorkerHangs: false, figures: { timeouts: 0, swept: 0 } };
  const hanging = changeQueues.map((name) => {
    const queue = services[queueService(name)];
    const send = (bodies: string[]) =>
      state.storeWorkerHangs ? new Promise<void>(() => undefined) : queue.send(bodies);
    return [
      queueService(name),
      { send, addDeadLetters: (deadLetters: DeadLetter[]) => queue.addDeadLetters(deadLetters) },
    ];
  });
  const workers = await makeWorkers({ ...services, ...Object.fromEntries(hanging) });
  const inTime = (name: string, worker: BatchHandler) => async (event: SQSEvent) => {
    const context = lambdaContext(name, workerTimeMs);
    const response = await worker(event, context);
    // A function responds just before Lambda would end it. The work that it started may still take effect.
    if (context.getRemainingTimeInMillis() < 10) state.figures.timeouts++;
    return response;
  };
  const sources = queueNames.flatMap((name) =>
    Array.from(
      { length: name === 'store' ? storeSources : 1 },
      () => new EventSource(name, polled(services[queueService(name)]), inTime(name, workers[name]), sqsBatch),
    ),
  );
  for (const source of sources) source.start();

  const rollUp = rollUpSchedule(services);
  const sweep = sweepSchedule({
    parkedWrites: {
      sweep: async (mayGoOn) => {
        const swept = await services.parkedWrites.sweep(mayGoOn);
        state.figures.swept += swept;
        return swept;
      },
    },
  });
  const schedules = Object.entries({ rollUp, sweep }).map(([name, run]) =>
    every(scheduleMs, name, () => run(scheduledEvent(), lambdaContext(name))),
  );
  return Object.assign(state, {
    ledger: services.ledger,
    deadLetters: async () => {
      const counts = await Promise.all(queueNames.map((name) => services[queueService(name)].deadLetterCount()));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    operations: async () =>
      loadOperations({
        ...(await bind({ ledger, store, searchIndex }, environment)),
        cursors: testCursors(),
        adminKey: undefined,
      }),
    stopFunctions: async () => {
      for (const schedule of schedules) schedule.stop();
      await Promise.all(sources.map((source) => source.stop()));
    },
  });
}
