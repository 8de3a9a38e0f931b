import type { migrate } from '../functions/deploy/migrate.ts';
import type { feedAuthorizer } from '../functions/feed/authorizer.ts';
import { type AwsQueue, awsQueues, queueService, sendsTo, type WorkerName, workerName } from '../functions/queues.ts';
import type { purgeSchedule } from '../functions/schedule/purge.ts';
import type { rollUpSchedule } from '../functions/schedule/roll-up.ts';
import type { rotateSystemSecret } from '../functions/schedule/rotate-system-secret.ts';
import type { sweepSchedule } from '../functions/schedule/sweep.ts';
import {
  acceptsWrites,
  type OperationId,
  operationFile,
  type Route,
  readsOnly,
  routes,
  takesSelf,
} from '../lib/api/routes.ts';
import { queueResources } from './queues.ts';

/** A Lambda function: its code, and the services of `functions/aws` that it is bound to. */
export interface FunctionEntry {
  /** The file with the code, relative to the project. It exports the function under the function's name. */
  file: string;
  /** The names of the services that it is bound to. */
  needs: string[];
  /** It only reads the ledger, so its bundle has no client of SQS. */
  readsLedger?: boolean;
  /** The queue, if the function is a worker. */
  queue?: AwsQueue;
  /** Files that the code reads at run time, relative to the project. They are copied to the same path in the bundle. */
  files?: string[];
}

// A compile error unless `needs` lists exactly the services that the function takes.
type Needs<Make extends (services: never) => unknown> = Record<keyof Parameters<Make>[0], true>;
const entry = (file: string, needs: Record<string, true>): FunctionEntry => ({ file, needs: Object.keys(needs) });

const background = {
  rollUpSchedule: {
    ...entry('functions/schedule/roll-up.ts', {
      store: true,
      ledger: true,
      report: true,
    } satisfies Needs<typeof rollUpSchedule>),
    readsLedger: true,
  },
  purgeSchedule: entry('functions/schedule/purge.ts', {
    store: true,
    searchIndex: true,
    ledger: true,
  } satisfies Needs<typeof purgeSchedule>),
  sweepSchedule: entry('functions/schedule/sweep.ts', {
    parkedWrites: true,
    report: true,
  } satisfies Needs<typeof sweepSchedule>),
  rotateSystemSecret: entry('functions/schedule/rotate-system-secret.ts', {
    systemSecretVersions: true,
  } satisfies Needs<typeof rotateSystemSecret>),
  migrate: entry('functions/deploy/migrate.ts', {
    database: true,
    databaseUsers: true,
    searchCluster: true,
  } satisfies Needs<typeof migrate>),
  feedAuthorizer: entry('functions/feed/authorizer.ts', { access: true } satisfies Needs<typeof feedAuthorizer>),
  fallback: entry('functions/api/fallback.ts', {}),
};

// The worker of each queue. The types of infra/queues.ts check its services.
const workers = Object.fromEntries(
  awsQueues.map((name): [WorkerName, FunctionEntry] => [
    workerName(name),
    {
      file: `functions/workers/${name}.ts`,
      needs: [...Object.keys(queueResources[name].needs), ...[name, ...sendsTo(name)].map(queueService), 'report'],
      readsLedger: true,
      queue: name,
    },
  ]),
) as Record<WorkerName, FunctionEntry>;

export type FunctionName = OperationId | WorkerName | keyof typeof background;

const operations = Object.fromEntries(
  Object.entries<Route>(routes).map(([id, route]) => [
    id,
    {
      file: `functions/api/${operationFile(id as OperationId)}.ts`,
      needs: [
        ...route.needs,
        ...(takesSelf(route) ? ['access'] : []),
        ...(route.admin ? ['adminKey'] : []),
        ...(acceptsWrites(route) ? ['report'] : []),
      ],
      readsLedger: readsOnly(route),
    },
  ]),
) as Record<OperationId, FunctionEntry>;

// The docs page, see lib/api/docs-page.ts.
operations.getDocs.files = ['swagger-ui.css', 'swagger-ui-bundle.js'].map(
  (name) => `node_modules/swagger-ui-dist/${name}`,
);

/** All functions of the AWS engine: one per route, the workers, the schedules, the migration, and the feed's authorizer. */
export const functions: Record<FunctionName, FunctionEntry> = { ...operations, ...workers, ...background };

/** Returns the name of the provider of a service. The provider is in a file of `functions/aws` with the same name. */
export const providerOf = ({ readsLedger }: FunctionEntry, need: string): string =>
  need === 'ledger' && readsLedger ? 'ledgerReads' : need;

/** The functions that only stages with the feed have. */
export const feedFunctions: FunctionName[] = ['feedWorker', 'feedAuthorizer'];

/** Converts a name to the name of its file or folder: `createMessage` to `create-message`. */
export const kebabCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
