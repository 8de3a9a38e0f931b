import { CfnOutput, CrossStackReferences, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { BasePathMapping } from 'aws-cdk-lib/aws-apigateway';
import type { Construct } from 'constructs';
import type { report } from '../functions/aws/report.ts';
import { type AwsQueue, queueNames, sendsTo, workerName } from '../functions/queues.ts';
import { type OperationId, type Route, routes, takesSelf } from '../lib/api/routes.ts';
import { leaveRegistryOpen } from './constructs/admin-key.ts';
import { Api } from './constructs/api.ts';
import { Feed } from './constructs/feed.ts';
import { accessOf } from './constructs/ledger-table.ts';
import { Migration } from './constructs/migration.ts';
import { every } from './constructs/schedule.ts';
import { ServiceFunction } from './constructs/service-function.ts';
import type { WorkQueue } from './constructs/work-queue.ts';
import type { DataStack } from './data-stack.ts';
import type { Deployment } from './flags.ts';
import { type FunctionName, functions } from './functions.ts';
import { queueResources, type WorkerNeed } from './queues.ts';
import { type FunctionSize, functionSizes } from './sizes.ts';

interface ServiceStackProps extends StackProps {
  deployment: Deployment;
  data: DataStack;
  /** The folder that holds the bundle of every function. */
  bundles: string;
}

/**
 * Everything that runs code, in the order of the data flow. The stack holds no data, so it can be deleted and deployed
 * again.
 */
export class ServiceStack extends Stack {
  /** The name of the deployment, unique in the account: the name of API and dashboard, and the dimension of metrics. */
  readonly system: string;
  readonly api: Api;
  /** Undefined where clients cannot follow changes live. */
  readonly feed: Feed | undefined;
  readonly functions = new Map<FunctionName, ServiceFunction>();

  constructor(scope: Construct, id: string, { deployment, data, bundles, ...props }: ServiceStackProps) {
    super(scope, id, { ...props, description: 'chat-system: service' });
    this.system = `ChatSystem-${deployment.name}`;
    // Weak references let both stacks change: an export that is in use can be neither changed nor removed.
    CrossStackReferences.of(this).consume(deployment.stage.references);
    const { reservedConcurrency, logRetention, throttling, rotation, migration } = deployment.stage;
    const { queues, ledger, adminKey, systemSecret, network, database, searchCluster } = data;
    const create = (name: FunctionName, size: FunctionSize): ServiceFunction => {
      const placement = usesNetwork(name) ? network : undefined;
      const fn = new ServiceFunction(this, name, {
        bundles,
        size,
        reservedConcurrency,
        logRetention,
        network: placement,
      });
      if (functions[name].needs.includes('report')) fn.setVariables<typeof report>({ SYSTEM_NAME: this.system });
      this.functions.set(name, fn);
      return fn;
    };

    // The feed: clients follow changes on an Event API of AppSync. An authorizer decides who may subscribe to its
    // channels.
    if (queues.feed) {
      const authorizer = create('feedAuthorizer', functionSizes.authorizer);
      ledger.connect(authorizer, 'read');
      systemSecret.connect(authorizer);
      this.feed = new Feed(this, 'Feed', { name: this.system, authorizer, plaintext: deployment.stage.plaintext });
    }

    // HTTP: one function per route. Each function is connected to the services that its route names.
    const fallback = create('fallback', functionSizes.fallback);
    this.api = new Api(this, 'Api', { name: this.system, fallback, throttling, logRetention });
    for (const [name, route] of Object.entries<Route>(routes)) {
      const fn = create(name as OperationId, route.method === 'GET' ? functionSizes.read : functionSizes.write);
      if (route.needs.includes('ledger')) ledger.connect(fn, accessOf(route));
      if (route.needs.includes('store')) database.connect(fn, 'reads');
      if (route.needs.includes('searchIndex')) searchCluster.connect(fn, 'search');
      if (route.needs.includes('feed')) this.feed?.connectRoute(fn);
      if (route.needs.includes('cursors') || takesSelf(route)) systemSecret.connect(fn);
      if (route.admin && adminKey) adminKey.connect(fn);
      else if (route.admin) leaveRegistryOpen(fn);
      this.api.addRoute(route, fn);
    }

    // Workers: the store worker turns accepted writes into rows, the search worker turns changed rows into documents,
    // and the feed worker publishes the changes.
    const connect: Record<WorkerNeed, (worker: ServiceFunction) => void> = {
      store: (worker) => database.connect(worker, 'work'),
      searchIndex: (worker) => searchCluster.connect(worker, 'index'),
      ledger: (worker) => ledger.connect(worker, 'read'),
      announcer: (worker) => queues.feed?.connectAnnouncer(worker),
      publisher: (worker) => this.feed?.connectPublisher(worker),
    };
    const addWorker = (name: AwsQueue, queue: WorkQueue) => {
      const worker = create(workerName(name), functionSizes.worker);
      const { delivery, needs } = queueResources[name];
      queue.connectWorker(worker, delivery);
      for (const need of Object.keys(needs) as WorkerNeed[]) connect[need](worker);
      for (const next of sendsTo(name)) queues[next].connectSender(worker);
    };
    for (const name of queueNames) addWorker(name, queues[name]);
    if (queues.feed) addWorker('feed', queues.feed);

    // A store worker from a release before change versions does not set a version on the rows that it changes, so
    // followers would miss these changes. Therefore the store worker is replaced before the functions that return
    // changes.
    const storeWorker = this.functions.get('storeWorker') as ServiceFunction;
    for (const [name, { tag }] of Object.entries<Route>(routes))
      if (tag === 'changes') this.functions.get(name as OperationId)?.node.addDependency(storeWorker);

    // The roll-up sets the counts in SQL: the counters of the ledger minus the deleted and void numbers.
    const rollUp = create('rollUpSchedule', functionSizes.rollUp);
    ledger.connect(rollUp, 'read');
    database.connect(rollUp, 'work');
    every(Duration.minutes(deployment.rollupMinutes), rollUp);

    // The purge deletes everything below a deleted application or chat.
    const purge = create('purgeSchedule', functionSizes.purge);
    ledger.connect(purge, 'purge');
    database.connect(purge, 'work');
    searchCluster.connect(purge, 'purge');
    every(Duration.minutes(1), purge);

    // The sweep sends parked writes: those that the store queue did not accept at first.
    const sweep = create('sweepSchedule', functionSizes.sweep);
    ledger.connect(sweep, 'sweep');
    every(Duration.minutes(1), sweep);

    // Secrets Manager gives the system secret a new key every month.
    if (rotation) systemSecret.rotateWith(create('rotateSystemSecret', functionSizes.rotation));

    // The migration runs before any function that relies on its result is deployed.
    if (migration) {
      const dependents = [...this.functions.values()];
      const migrate = create('migrate', functionSizes.migrate);
      database.connect(migrate, 'migration');
      searchCluster.connect(migrate, 'migrate');
      new Migration(this, 'Migration', migrate).runBefore(this.api, ...dependents);
    }

    // The base path is the same as without a domain, so that clients only change the host.
    const { apiDomain } = data;
    if (apiDomain)
      new BasePathMapping(this, 'DomainMapping', {
        domainName: apiDomain.domain,
        restApi: this.api.rest,
        stage: this.api.rest.deploymentStage,
        basePath: 'v1',
      });
    const url = deployment.domain ? `https://${deployment.domain.name}/v1` : this.api.url;
    new CfnOutput(this, 'ApiUrl', { value: url, description: 'Base URL of the HTTP API' });
  }
}

/** Returns whether the function uses the database or the search cluster, and therefore runs in their network. */
const usesNetwork = (name: FunctionName): boolean =>
  functions[name].needs.some((need) => ['store', 'searchIndex', 'database', 'searchCluster'].includes(need));
