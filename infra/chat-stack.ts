import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Trigger } from 'aws-cdk-lib/triggers';
import type { Construct } from 'constructs';
import type { searchQueue as searchQueueProvider } from '../functions/aws/search-queue.ts';
import type { storeQueue as storeQueueProvider } from '../functions/aws/store-queue.ts';
import { type OperationId, type Route, routes } from '../lib/api/routes.ts';
import type { Config, GivenServers } from './config.ts';
import { AdminKey } from './constructs/admin-key.ts';
import { Api } from './constructs/api.ts';
import { CreatedDatabase, GivenDatabase } from './constructs/database.ts';
import { LedgerTable } from './constructs/ledger-table.ts';
import { Network } from './constructs/network.ts';
import { CreatedSearchCluster, GivenSearchCluster } from './constructs/search-cluster.ts';
import { ServiceFunction } from './constructs/service-function.ts';
import { WorkQueue } from './constructs/work-queue.ts';
import { type FunctionName, functions } from './functions.ts';
import { type FunctionSize, feedSizes, functionSizes, visibilityOf } from './sizes.ts';

interface ChatStackProps {
  config: Config;
  /** The folder of all bundles. */
  bundles: string;
}

/** The whole system on AWS, in the order of the flow. */
export class ChatStack extends Stack {
  constructor(scope: Construct, id: string, { config, bundles }: ChatStackProps) {
    super(scope, id, { description: 'chat-system' });
    const { given, keepData } = config;
    const { network, database, searchCluster } = given ? givenServers(this, given) : createdServers(this, keepData);
    const create = (name: FunctionName, size: FunctionSize): ServiceFunction =>
      new ServiceFunction(this, name, { bundles, size, network: usesNetwork(name) ? network : undefined });

    // What is kept, and what leads there.
    const storeQueue = new WorkQueue(this, 'StoreQueue', {
      visibility: visibilityOf(functionSizes.worker, feedSizes.store),
      variables: { url: 'STORE_QUEUE_URL', deadLetterUrl: 'STORE_DEAD_LETTER_QUEUE_URL' } satisfies QueueVariables<
        typeof storeQueueProvider
      >,
    });
    const searchQueue = new WorkQueue(this, 'SearchQueue', {
      visibility: visibilityOf(functionSizes.worker, feedSizes.search),
      variables: { url: 'SEARCH_QUEUE_URL', deadLetterUrl: 'SEARCH_DEAD_LETTER_QUEUE_URL' } satisfies QueueVariables<
        typeof searchQueueProvider
      >,
    });
    const ledger = new LedgerTable(this, 'Ledger', { storeQueue, keepData });
    const adminKey = new AdminKey(this, 'AdminKey', config.adminKeySecret);

    // HTTP: one function a route. Writes go to the ledger and nowhere else; reads ask what the route names.
    const api = new Api(this, 'Api', create('fallback', functionSizes.fallback));
    for (const [name, route] of Object.entries<Route>(routes)) {
      const reads = route.method === 'GET';
      const fn = create(name as OperationId, reads ? functionSizes.read : functionSizes.write);
      if (route.needs.includes('ledger')) ledger.connect(fn, reads ? 'read' : 'write');
      if (route.needs.includes('store')) database.connect(fn, 'reads');
      if (route.needs.includes('searchIndex')) searchCluster.connect(fn, 'search');
      if (route.admin) adminKey.connect(fn);
      api.serves(route, fn);
    }

    // Accepted writes become rows.
    const storeWorker = create('storeWorker', functionSizes.worker);
    storeQueue.feeds(storeWorker, feedSizes.store);
    database.connect(storeWorker, 'work');
    searchQueue.takesFrom(storeWorker);

    // Changed rows become documents.
    const searchWorker = create('searchWorker', functionSizes.worker);
    searchQueue.feeds(searchWorker, feedSizes.search);
    database.connect(searchWorker, 'work');
    searchCluster.connect(searchWorker, 'index');

    // Counters become counts.
    const rollUp = create('rollUpSchedule', functionSizes.rollUp);
    ledger.connect(rollUp, 'read');
    database.connect(rollUp, 'work');
    every(Duration.minutes(config.rollupMinutes), rollUp);

    // What lies below something deleted goes.
    const purge = create('purgeSchedule', functionSizes.purge);
    ledger.connect(purge, 'purge');
    database.connect(purge, 'work');
    searchCluster.connect(purge, 'purge');
    every(Duration.minutes(1), purge);

    // What the store queue did not take is sent when it does again.
    const sweep = create('sweepSchedule', functionSizes.sweep);
    ledger.connect(sweep, 'sweep');
    every(Duration.minutes(1), sweep);

    // A database of our own begins empty. One that is given is brought up to date by whoever gives it.
    if (network) {
      const migrate = create('migrate', functionSizes.migrate);
      database.connect(migrate, 'migration');
      searchCluster.connect(migrate, 'migrate');
      const trigger = new Trigger(this, 'Migration', { handler: migrate, timeout: functionSizes.migrate.timeout });
      // The function reaches them only with the network's endpoints and the servers' rules in place.
      trigger.executeAfter(network, database, searchCluster);
      trigger.executeBefore(api, storeWorker, searchWorker, rollUp, purge);
    }

    new CfnOutput(this, 'ApiUrl', { value: api.url, description: 'The base URL of the HTTP API' });
  }
}

type QueueVariables<Provider extends { variables: object }> = Record<
  'url' | 'deadLetterUrl',
  keyof Provider['variables']
>;

const givenServers = (scope: Construct, given: GivenServers) => ({
  network: undefined,
  database: new GivenDatabase(scope, 'Database', given),
  searchCluster: new GivenSearchCluster(scope, 'SearchCluster', given),
});

function createdServers(scope: Construct, keepData: boolean) {
  const network = new Network(scope, 'Network');
  return {
    network,
    database: new CreatedDatabase(scope, 'Database', { network, keepData }),
    searchCluster: new CreatedSearchCluster(scope, 'SearchCluster', { network, keepData }),
  };
}

/** A function that uses the database or the search cluster runs where they are. */
const usesNetwork = (name: FunctionName): boolean =>
  functions[name].needs.some((need) => ['store', 'searchIndex', 'database', 'searchCluster'].includes(need));

const every = (time: Duration, fn: ServiceFunction): void => {
  new Rule(fn, 'Schedule', { schedule: Schedule.rate(time), targets: [new LambdaFunction(fn)] });
};
