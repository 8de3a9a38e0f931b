import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { MetricName } from '../../functions/runtime/observe/metrics.ts';
import type { FunctionName } from '../functions.ts';
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
  const { rest, ledger, storeQueue, searchQueue } = watched;
  return [
    {
      title: '1 · API',
      says: 'Requests and answers → the ledger',
      work: [[rest.metricCount(sum)], [latency(watched, 'p50'), latency(watched, 'p99')]],
      trouble: [
        [rest.metricServerError(sum), rest.metricClientError(sum)],
        [functionOf(watched, 'createMessage').metricThrottles(sum)],
      ],
    },
    {
      title: '2 · Ledger',
      says: 'Numbers, and what was accepted → the store queue',
      work: [[reported(watched, 'accepted')], [ledger.metric('ConsumedWriteCapacityUnits', sum)]],
      trouble: [
        [ledger.metric('WriteThrottleEvents', sum), ledger.metric('ReadThrottleEvents', sum)],
        [reported(watched, 'swept')],
      ],
    },
    { title: '3 · Store queue', says: 'Accepted, not stored → the store worker', ...queue(storeQueue) },
    {
      title: '4 · Store worker',
      says: 'Writes become rows → the search queue',
      work: [
        [reported(watched, 'stored')],
        [reported(watched, 'stored_lag', 'p50'), reported(watched, 'stored_lag', 'Maximum')],
      ],
      trouble: troubleOf(watched, 'storeWorker', 'store_failures'),
    },
    ...mysqlStep(watched),
    { title: '6 · Search queue', says: 'Stored, not found yet → the search worker', ...queue(searchQueue) },
    {
      title: '7 · Search worker',
      says: 'Rows become documents → OpenSearch',
      work: [
        [reported(watched, 'indexed')],
        [reported(watched, 'indexed_lag', 'p50'), reported(watched, 'indexed_lag', 'Maximum')],
      ],
      trouble: troubleOf(watched, 'searchWorker', 'index_failures'),
    },
    ...searchStep(watched),
    {
      title: '9 · Roll-up and schedules',
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
}

const latency = ({ rest }: Watched, statistic: string): IMetric =>
  rest.metricLatency({ period: minute, statistic, label: `latency ${statistic}, ms` });

const queue = ({ queue, deadLetters }: WatchedQueue): Pick<Step, 'work' | 'trouble'> => ({
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

function mysqlStep({ mysql }: Watched): Step[] {
  if (!mysql) return [];
  const { instance, proxyName } = mysql;
  return [
    {
      title: '5 · MySQL',
      says: 'Rows, for readers and the search worker',
      work: [
        [instance.metricCPUUtilization(most)],
        [ofProxy(proxyName, 'DatabaseConnections', 'Sum'), ofProxy(proxyName, 'MaxDatabaseConnectionsAllowed', 'Sum')],
      ],
      trouble: [
        [instance.metricFreeStorageSpace(least)],
        [ofProxy(proxyName, 'DatabaseConnectionsBorrowLatency', 'Average')],
      ],
    },
  ];
}

function searchStep({ search }: Watched): Step[] {
  if (!search) return [];
  const { domain } = search;
  return [
    {
      title: '8 · OpenSearch',
      says: 'Documents, for searches',
      work: [[domain.metricCPUUtilization(most)], [domain.metricSearchLatency(p99), domain.metricIndexingLatency(p99)]],
      trouble: [
        [domain.metricFreeStorageSpace(least)],
        [domain.metricClusterStatusRed(most), domain.metricClusterIndexWritesBlocked(most)],
      ],
    },
  ];
}
