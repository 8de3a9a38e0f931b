import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { type AwsQueue, queueNames, queues, workerName } from '../../functions/queues.ts';
import type { MetricName } from '../../functions/runtime/observe/metrics.ts';
import type { FunctionName } from '../functions.ts';
import { queueResources } from '../queues.ts';
import {
  eventApiMetric,
  functionOf,
  type Monitored,
  type MonitoredQueue,
  minute,
  proxyMetric,
  reportedMetric,
} from './monitored.ts';

/** The metrics of a graph: those of its left axis, and those of its right axis. */
type Graph = [left: IMetric[], right?: IMetric[]];

/** A column of the dashboard: one part of the data flow. */
export interface Column {
  title: string;
  /** What the part processes → where its output goes. */
  description: string;
  /** The upper graph: throughput and latency. */
  work: Graph;
  /** The lower graph: errors, throttling and backlog. */
  problems: Graph;
}

const sum = { period: minute, statistic: 'Sum' };
const most = { period: minute, statistic: 'Maximum' };
const p99 = { period: minute, statistic: 'p99' };
const least = { period: minute, statistic: 'Minimum' };

/**
 * Returns the columns in the order of the data flow. MySQL and OpenSearch have one only if this deployment creates them.
 */
export function columnsOf(monitored: Monitored): Column[] {
  const { rest, ledger } = monitored;
  const columns: (Column | undefined)[] = [
    {
      title: 'API',
      description: 'Requests and responses → the ledger',
      work: [[rest.metricCount(sum)], [latency(monitored, 'p50'), latency(monitored, 'p99')]],
      problems: [
        [rest.metricServerError(sum), rest.metricClientError(sum)],
        [functionOf(monitored, 'createMessage').metricThrottles(sum)],
      ],
    },
    {
      title: 'Ledger',
      description: 'Numbers and accepted writes → the store queue',
      work: [[reportedMetric(monitored, 'accepted')], [ledger.metric('ConsumedWriteCapacityUnits', sum)]],
      problems: [
        [ledger.metric('WriteThrottleEvents', sum), ledger.metric('ReadThrottleEvents', sum)],
        [reportedMetric(monitored, 'swept')],
      ],
    },
    ...queueNames.flatMap((name) => queueColumns(monitored, name, monitored.queues[name])),
    {
      title: 'Roll-up and schedules',
      description: 'Updates counts, purges deleted data, sends parked writes',
      work: [
        [reportedMetric(monitored, 'rolled_up')],
        [functionOf(monitored, 'rollUpSchedule').metricDuration({ ...most, label: 'roll-up, ms' })],
      ],
      problems: [
        (['rollUpSchedule', 'purgeSchedule', 'sweepSchedule'] as const).map((name) =>
          functionOf(monitored, name).metricErrors({ ...sum, label: `${name} failed` }),
        ),
        [reportedMetric(monitored, 'poison'), reportedMetric(monitored, 'duplicates')],
      ],
    },
    ...feedColumns(monitored),
  ];
  // Columns are numbered before those of existing servers are left out, because the runbook refers to the numbers.
  return columns.flatMap((column, i) => (column ? [{ ...column, title: `${i + 1} · ${column.title}` }] : []));
}

/** Returns the columns of a queue, its worker, and the server that the worker writes to. */
function queueColumns(monitored: Monitored, name: AwsQueue, queue: MonitoredQueue): (Column | undefined)[] {
  const { done, lag, failed } = queues[name].metrics;
  const { dashboard } = queueResources[name];
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  return [
    { title: `${title} queue`, description: dashboard.queue, ...queueGraphs(queue) },
    {
      title: `${title} worker`,
      description: dashboard.worker,
      work: [
        [reportedMetric(monitored, done)],
        [reportedMetric(monitored, lag, 'p50'), reportedMetric(monitored, lag, 'Maximum')],
      ],
      problems: workerProblems(monitored, workerName(name), failed),
    },
    ...(dashboard.server ? [serverColumns[dashboard.server](monitored)] : []),
  ];
}

/** The columns of the feed. They are the last ones, so that the numbers of the others do not depend on it. */
function feedColumns(monitored: Monitored): (Column | undefined)[] {
  const { feed } = monitored;
  if (!feed) return [];
  const admission = functionOf(monitored, 'feedAuthorizer');
  return [
    ...queueColumns(monitored, 'feed', feed),
    {
      title: 'AppSync Events',
      description: 'Events, for clients that follow changes',
      work: [
        [eventApiMetric(feed.apiId, 'Requests'), eventApiMetric(feed.apiId, 'ActiveConnections')],
        [eventApiMetric(feed.apiId, 'Latency', 'p99')],
      ],
      problems: [
        [eventApiMetric(feed.apiId, '4XXError'), eventApiMetric(feed.apiId, '5XXError')],
        [
          admission.metricErrors({ ...sum, label: 'failed checks of tokens' }),
          admission.metricThrottles({ ...sum, label: 'throttled checks of tokens' }),
        ],
      ],
    },
  ];
}

const latency = ({ rest }: Monitored, statistic: string): IMetric =>
  rest.metricLatency({ period: minute, statistic, label: `latency ${statistic}, ms` });

const queueGraphs = ({ queue, deadLetters }: MonitoredQueue): Pick<Column, 'work' | 'problems'> => ({
  work: [
    [queue.metricNumberOfMessagesSent(sum), queue.metricNumberOfMessagesDeleted(sum)],
    [queue.metricApproximateNumberOfMessagesVisible(most)],
  ],
  problems: [
    [queue.metricApproximateAgeOfOldestMessage({ ...most, label: 'age of the oldest message, s' })],
    [deadLetters.metricApproximateNumberOfMessagesVisible({ ...most, label: 'dead letters' })],
  ],
});

const workerProblems = (monitored: Monitored, name: FunctionName, failures: MetricName): Graph => {
  const fn = functionOf(monitored, name);
  return [
    [reportedMetric(monitored, failures), fn.metricErrors(sum), fn.metricThrottles(sum)],
    [fn.metricDuration({ ...most, label: 'longest batch, ms' })],
  ];
};

function mysqlColumn({ mysql }: Monitored): Column | undefined {
  if (!mysql) return undefined;
  const { instance, proxyName } = mysql;
  return {
    title: 'MySQL',
    description: 'Rows, for readers and the search worker',
    work: [
      [instance.metricCPUUtilization(most)],
      [
        proxyMetric(proxyName, 'DatabaseConnections', 'Sum'),
        proxyMetric(proxyName, 'MaxDatabaseConnectionsAllowed', 'Sum'),
      ],
    ],
    problems: [
      [instance.metricFreeStorageSpace(least)],
      [proxyMetric(proxyName, 'DatabaseConnectionsBorrowLatency', 'Average')],
    ],
  };
}

function searchColumn({ search }: Monitored): Column | undefined {
  if (!search) return undefined;
  const { domain } = search;
  return {
    title: 'OpenSearch',
    description: 'Documents, for searches',
    work: [[domain.metricCPUUtilization(most)], [domain.metricSearchLatency(p99), domain.metricIndexingLatency(p99)]],
    problems: [
      [domain.metricFreeStorageSpace(least)],
      [domain.metricClusterStatusRed(most), domain.metricClusterIndexWritesBlocked(most)],
    ],
  };
}

const serverColumns = { mysql: mysqlColumn, search: searchColumn };
