import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { type QueueName, queueNames, queues, workerName } from '../../functions/queues.ts';
import type { MetricName } from '../../functions/runtime/observe/metrics.ts';
import type { FunctionName } from '../functions.ts';
import { queueResources } from '../queues.ts';
import { functionOf, minute, ofProxy, reported, type Watched, type WatchedQueue } from './watched.ts';

/** A graph: what its left axis is for, and what its right one. */
type Graph = [left: IMetric[], right?: IMetric[]];

/** One step of the flow, as the dashboard shows it. */
export interface Step {
  title: string;
  says: string;
  work: Graph;
  trouble: Graph;
}

const sum = { period: minute, statistic: 'Sum' };
const most = { period: minute, statistic: 'Maximum' };
const p99 = { period: minute, statistic: 'p99' };
const least = { period: minute, statistic: 'Minimum' };

/** The steps from left to right; those of SQL and search where they are ours. */
export function stepsOf(watched: Watched): Step[] {
  const { rest, ledger } = watched;
  const steps: (Step | undefined)[] = [
    {
      title: 'API',
      says: 'Requests and answers → the ledger',
      work: [[rest.metricCount(sum)], [latency(watched, 'p50'), latency(watched, 'p99')]],
      trouble: [
        [rest.metricServerError(sum), rest.metricClientError(sum)],
        [functionOf(watched, 'createMessage').metricThrottles(sum)],
      ],
    },
    {
      title: 'Ledger',
      says: 'Numbers, and what was accepted → the store queue',
      work: [[reported(watched, 'accepted')], [ledger.metric('ConsumedWriteCapacityUnits', sum)]],
      trouble: [
        [ledger.metric('WriteThrottleEvents', sum), ledger.metric('ReadThrottleEvents', sum)],
        [reported(watched, 'swept')],
      ],
    },
    ...queueNames.flatMap((name) => queueSteps(watched, name)),
    {
      title: 'Roll-up and schedules',
      says: 'Counts; what is deleted goes; what is parked is sent',
      work: [
        [reported(watched, 'rolled_up')],
        [functionOf(watched, 'rollUpSchedule').metricDuration({ ...most, label: 'roll-up, ms' })],
      ],
      trouble: [
        (['rollUpSchedule', 'purgeSchedule', 'sweepSchedule'] as const).map((name) =>
          functionOf(watched, name).metricErrors({ ...sum, label: `${name} failed` }),
        ),
        [reported(watched, 'poison'), reported(watched, 'duplicates')],
      ],
    },
  ];
  // A server that is not ours has no step, and the numbers of the others stay the same.
  return steps.flatMap((step, i) => (step ? [{ ...step, title: `${i + 1} · ${step.title}` }] : []));
}

/** The steps of a queue, of its worker, and of the server that the worker writes to. */
function queueSteps(watched: Watched, name: QueueName): (Step | undefined)[] {
  const { done, lag, failed } = queues[name].metrics;
  const { dashboard } = queueResources[name];
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  return [
    { title: `${title} queue`, says: dashboard.queue, ...queueGraphs(watched.queues[name]) },
    {
      title: `${title} worker`,
      says: dashboard.worker,
      work: [[reported(watched, done)], [reported(watched, lag, 'p50'), reported(watched, lag, 'Maximum')]],
      trouble: troubleOf(watched, workerName(name), failed),
    },
    ...(dashboard.server ? [serverSteps[dashboard.server](watched)] : []),
  ];
}

const latency = ({ rest }: Watched, statistic: string): IMetric =>
  rest.metricLatency({ period: minute, statistic, label: `latency ${statistic}, ms` });

const queueGraphs = ({ queue, deadLetters }: WatchedQueue): Pick<Step, 'work' | 'trouble'> => ({
  work: [
    [queue.metricNumberOfMessagesSent(sum), queue.metricNumberOfMessagesDeleted(sum)],
    [queue.metricApproximateNumberOfMessagesVisible(most)],
  ],
  trouble: [
    [queue.metricApproximateAgeOfOldestMessage({ ...most, label: 'age of the oldest, s' })],
    [deadLetters.metricApproximateNumberOfMessagesVisible({ ...most, label: 'dead letters' })],
  ],
});

const troubleOf = (watched: Watched, name: FunctionName, failures: MetricName): Graph => {
  const fn = functionOf(watched, name);
  return [
    [reported(watched, failures), fn.metricErrors(sum), fn.metricThrottles(sum)],
    [fn.metricDuration({ ...most, label: 'longest batch, ms' })],
  ];
};

function mysqlStep({ mysql }: Watched): Step | undefined {
  if (!mysql) return undefined;
  const { instance, proxyName } = mysql;
  return {
    title: 'MySQL',
    says: 'Rows, for readers and the search worker',
    work: [
      [instance.metricCPUUtilization(most)],
      [ofProxy(proxyName, 'DatabaseConnections', 'Sum'), ofProxy(proxyName, 'MaxDatabaseConnectionsAllowed', 'Sum')],
    ],
    trouble: [
      [instance.metricFreeStorageSpace(least)],
      [ofProxy(proxyName, 'DatabaseConnectionsBorrowLatency', 'Average')],
    ],
  };
}

function searchStep({ search }: Watched): Step | undefined {
  if (!search) return undefined;
  const { domain } = search;
  return {
    title: 'OpenSearch',
    says: 'Documents, for searches',
    work: [[domain.metricCPUUtilization(most)], [domain.metricSearchLatency(p99), domain.metricIndexingLatency(p99)]],
    trouble: [
      [domain.metricFreeStorageSpace(least)],
      [domain.metricClusterStatusRed(most), domain.metricClusterIndexWritesBlocked(most)],
    ],
  };
}

const serverSteps = { mysql: mysqlStep, search: searchStep };
