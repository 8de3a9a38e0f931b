import type { migrate } from '../functions/deploy/migrate.ts';
import { type QueueName, queueNames, queueService, sendsTo, type WorkerName, workerName } from '../functions/queues.ts';
import type { purgeSchedule } from '../functions/schedule/purge.ts';
import type { rollUpSchedule } from '../functions/schedule/roll-up.ts';
import type { rotateSystemSecret } from '../functions/schedule/rotate-system-secret.ts';
import type { sweepSchedule } from '../functions/schedule/sweep.ts';
import { type OperationId, operationFile, type Route, routes } from '../lib/api/routes.ts';
import { queueResources } from './queues.ts';

/** A Lambda function: its code, and the services of `functions/aws` that it is bound to. */
export interface FunctionEntry {
  /** Where the code is; it exports the function under the function's name. */
  file: string;
  needs: string[];
  /** The queue whose worker it is. */
  queue?: QueueName;
  /** What it reads at run time, in the project and in the bundle alike. */
  files?: string[];
}

// Checked against what the function really takes: nothing missing, nothing too much.
type Needs<Make extends (services: never) => unknown> = Record<keyof Parameters<Make>[0], true>;
const entry = (file: string, needs: Record<string, true>): FunctionEntry => ({ file, needs: Object.keys(needs) });

const background = {
  rollUpSchedule: entry('functions/schedule/roll-up.ts', {
    store: true,
    ledger: true,
    report: true,
  } satisfies Needs<typeof rollUpSchedule>),
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
  fallback: entry('functions/api/fallback.ts', {}),
};

// The worker of each queue. infra/queues.ts checks what it takes.
const workers = Object.fromEntries(
  queueNames.map((name): [WorkerName, FunctionEntry] => [
    workerName(name),
    {
      file: `functions/workers/${name}.ts`,
      needs: [...Object.keys(queueResources[name].needs), ...[name, ...sendsTo(name)].map(queueService), 'report'],
      queue: name,
    },
  ]),
) as Record<WorkerName, FunctionEntry>;

export type FunctionName = OperationId | WorkerName | keyof typeof background;

const operations = Object.fromEntries(
  Object.entries<Route>(routes).map(([id, { needs, admin, method }]) => [
    id,
    {
      file: `functions/api/${operationFile(id as OperationId)}.ts`,
      needs: [...needs, ...(admin ? ['adminKey'] : []), ...(method === 'GET' ? [] : ['report'])],
    },
  ]),
) as Record<OperationId, FunctionEntry>;

// The docs page, see lib/api/docs-page.ts.
operations.getDocs.files = ['swagger-ui.css', 'swagger-ui-bundle.js'].map(
  (name) => `node_modules/swagger-ui-dist/${name}`,
);

/** Every function of the AWS engine: one a route, and those behind the queues and schedules. */
export const functions: Record<FunctionName, FunctionEntry> = { ...operations, ...workers, ...background };

/** The name of the folder or file of something in camel case: `createMessage` is in `create-message`. */
export const kebabCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
