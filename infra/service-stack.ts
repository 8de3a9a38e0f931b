import { CfnOutput, CrossStackReferences, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { report } from '../functions/aws/report.ts';
import { queueNames, sendsTo, workerName } from '../functions/queues.ts';
import { type OperationId, type Route, routes } from '../lib/api/routes.ts';
import { leaveRegistryOpen } from './constructs/admin-key.ts';
import { Api } from './constructs/api.ts';
import { accessOf } from './constructs/ledger-table.ts';
import { Migration } from './constructs/migration.ts';
import { every } from './constructs/schedule.ts';
import { ServiceFunction } from './constructs/service-function.ts';
import type { DataStack } from './data-stack.ts';
import type { Deployment } from './flags.ts';
import { type FunctionName, functions } from './functions.ts';
import { queueResources, type WorkerNeed } from './queues.ts';
import { type FunctionSize, functionSizes } from './sizes.ts';

interface ServiceStackProps extends StackProps {
  deployment: Deployment;
  data: DataStack;
  /** The folder of all bundles. */
  bundles: string;
}

/** All that runs, in the order of the flow; it can be destroyed and made again, for what it knows is in the data stack. */
export class ServiceStack extends Stack {
  /** Tells this deployment from others of the account, in metrics. */
  readonly system: string;
  readonly api: Api;
  readonly functions = new Map<FunctionName, ServiceFunction>();

  constructor(scope: Construct, id: string, { deployment, data, bundles, ...props }: ServiceStackProps) {
    super(scope, id, { ...props, description: 'chat-system: service' });
    this.system = `ChatSystem-${deployment.name}`;
    // Weak ones leave both stacks free to change: an export that is in use can be neither changed nor removed.
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

    // HTTP: one function a route. Writes go to the ledger and nowhere else; reads ask what the route names.
    const fallback = create('fallback', functionSizes.fallback);
    this.api = new Api(this, 'Api', { name: this.system, fallback, throttling, logRetention });
    for (const [name, route] of Object.entries<Route>(routes)) {
      const fn = create(name as OperationId, route.method === 'GET' ? functionSizes.read : functionSizes.write);
      if (route.needs.includes('ledger')) ledger.connect(fn, accessOf(route));
      if (route.needs.includes('store')) database.connect(fn, 'reads');
      if (route.needs.includes('searchIndex')) searchCluster.connect(fn, 'search');
      if (route.needs.includes('cursors')) systemSecret.connect(fn);
      if (route.admin && adminKey) adminKey.connect(fn);
      else if (route.admin) leaveRegistryOpen(fn);
      this.api.serves(route, fn);
    }

    // The queues: accepted writes become rows, changed rows become documents.
    const connect: Record<WorkerNeed, (worker: ServiceFunction) => void> = {
      store: (worker) => database.connect(worker, 'work'),
      searchIndex: (worker) => searchCluster.connect(worker, 'index'),
    };
    for (const name of queueNames) {
      const worker = create(workerName(name), functionSizes.worker);
      const { feed, needs } = queueResources[name];
      queues[name].feeds(worker, feed);
      for (const need of Object.keys(needs) as WorkerNeed[]) connect[need](worker);
      for (const next of sendsTo(name)) queues[next].takesFrom(worker);
    }

    // Counters become counts.
    const rollUp = create('rollUpSchedule', functionSizes.rollUp);
    ledger.connect(rollUp, 'read');
    database.connect(rollUp, 'work');
    every(Duration.minutes(deployment.rollupMinutes), rollUp);

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

    // The system secret gets a new key each month.
    if (rotation) systemSecret.rotatesWith(create('rotateSystemSecret', functionSizes.rotation));

    // Tables and index are up to date before any code is that counts on it.
    if (migration) {
      const users = [...this.functions.values()];
      const migrate = create('migrate', functionSizes.migrate);
      database.connect(migrate, 'migration');
      searchCluster.connect(migrate, 'migrate');
      new Migration(this, 'Migration', migrate).precedes(this.api, ...users);
    }

    new CfnOutput(this, 'ApiUrl', { value: this.api.url, description: 'The base URL of the HTTP API' });
  }
}

/** A function that uses the database or the search cluster runs where they are. */
const usesNetwork = (name: FunctionName): boolean =>
  functions[name].needs.some((need) => ['store', 'searchIndex', 'database', 'searchCluster'].includes(need));
