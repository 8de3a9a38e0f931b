import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IDomain } from 'aws-cdk-lib/aws-opensearchservice';
import type { IDatabaseInstance } from 'aws-cdk-lib/aws-rds';
import type { AlarmCondition, AlarmSpec } from './alarm.ts';
import { type Monitored, minute, proxyMetric } from './monitored.ts';

/** RDS grows the disk when 10 % is free, at most once in six hours. Below this value it did not grow, or not enough. */
const minDatabaseDiskBytes = 1_500_000_000;
/** OpenSearch allocates no more shards to a node when 15 % of its disk is free, and blocks writes when it is full. */
const minSearchDiskShare = 0.2;
const megabytesPerGb = 1_024;
/** MySQL's buffers use three quarters of the memory from the start. Below this value, Linux may soon kill the server. */
const minDatabaseMemoryBytes = 100_000_000;
/** The heap usage that fires the alarm, in percent. AWS blocks all writes when it stays above this for 30 minutes. */
const maxSearchHeap = 92;
/** The CPU usage that fires the alarm when it lasts for 45 minutes, in percent. AWS recommends this alarm. */
const maxSearchProcessor = 80;

/** 15 bad minutes in a row. */
const quarterHour = { bad: 15, of: 15 };

/** Returns the alarms of the database and of the search domain, where this deployment creates them. */
export const serverAlarms = ({ mysql, search }: Monitored): AlarmSpec[] => [
  ...(mysql ? mysqlAlarms(mysql) : []),
  ...(search ? searchAlarms(search) : []),
];

const mysqlAlarms = ({ instance, proxyName, burstable }: NonNullable<Monitored['mysql']>): AlarmSpec[] => [
  {
    id: 'DatabaseConnections',
    description: 'Readers will soon get 503: more than 80 % of the connections to MySQL are in use.',
    section: 'Connections to MySQL run out',
    metric: new MathExpression({
      expression: '100 * used / most',
      usingMetrics: {
        used: proxyMetric(proxyName, 'DatabaseConnections', 'Sum'),
        most: proxyMetric(proxyName, 'MaxDatabaseConnectionsAllowed', 'Sum'),
      },
      period: minute,
      label: 'connections in use, %',
    }),
    above: 80,
    periods: { bad: 5, of: 5 },
  },
  {
    id: 'DatabaseDisk',
    description:
      'Readers will soon not see new messages: the disk of MySQL is nearly full and did not grow automatically. When it is full, nothing more is stored.',
    section: 'The disk of MySQL is nearly full',
    ...nearlyFull(instance, minDatabaseDiskBytes),
  },
  {
    id: 'DatabaseMemory',
    description:
      'Readers will repeatedly get 503 for a minute or more: MySQL has almost no free memory, and restarts whenever it runs out.',
    section: 'MySQL runs out of memory',
    metric: instance.metricFreeableMemory({ period: minute, statistic: 'Minimum' }),
    below: minDatabaseMemoryBytes,
    periods: quarterHour,
  },
  ...(burstable ? [creditsAlarm(instance)] : []),
];

/**
 * The alarm for CPU credits that are charged. The alarm does not use the credit balance, because a new instance starts
 * with none and the alarm would fire on the first day. RDS runs burstable instances in unlimited mode: without credits
 * the instance keeps its full speed and costs more.
 */
const creditsAlarm = (instance: IDatabaseInstance): AlarmSpec => ({
  id: 'DatabaseCredits',
  description:
    'Clients notice nothing, but the bill grows: for a day, MySQL has used more CPU time than its instance type includes.',
  section: 'MySQL uses more processor time than it earns',
  // AWS reports credits every five minutes.
  metric: instance.metric('CPUSurplusCreditsCharged', { period: Duration.minutes(5), statistic: 'Maximum' }),
  above: 0,
  periods: { bad: 3, of: 3 },
});

const searchAlarms = ({ domain, diskGb, nodes }: NonNullable<Monitored['search']>): AlarmSpec[] => [
  {
    id: 'SearchRed',
    description: 'Searches miss messages or return 503: a shard of the search index is not on any node.',
    section: 'The search domain is red',
    ...flagged(domain.metricClusterStatusRed({ period: minute, statistic: 'Maximum' })),
  },
  {
    id: 'SearchWritesBlocked',
    description:
      'Searches do not find new messages: the search domain blocks writes, because it is short of disk or memory. Nothing is lost.',
    section: 'The search domain takes no writes',
    ...flagged(domain.metricClusterIndexWritesBlocked({ period: minute, statistic: 'Maximum' })),
  },
  {
    id: 'SearchDisk',
    description:
      'Searches will soon not find new messages: a node of the search domain has less than 20 % of its disk free.',
    section: 'The disk of the search domain is nearly full',
    ...nearlyFull(domain, minSearchDiskShare * diskGb * megabytesPerGb),
  },
  {
    id: 'SearchMemory',
    description:
      'Searches will soon not find new messages: the heap of a search node is nearly full, and AWS then blocks writes to the domain.',
    section: 'The search domain runs out of memory',
    metric: domain.metricJVMMemoryPressure({ period: minute, statistic: 'Maximum' }),
    above: maxSearchHeap,
    periods: quarterHour,
  },
  {
    id: 'SearchProcessor',
    description:
      'Searches are slow or return 503, and find new messages late: the search domain uses nearly all of its CPU.',
    section: 'The search domain uses all of its processors',
    metric: domain.metricCPUUtilization({ period: Duration.minutes(15), statistic: 'Average' }),
    above: maxSearchProcessor,
    periods: { bad: 3, of: 3 },
  },
  {
    id: 'SearchNodes',
    description:
      'Searches are unavailable, or will be if another node fails: the search domain has fewer nodes than configured.',
    section: 'A search node is missing',
    metric: domain.metricNodes({ period: minute, statistic: 'Minimum' }),
    below: nodes,
    periods: quarterHour,
    // A domain that lost its only node reports nothing.
    missing: TreatMissingData.BREACHING,
  },
  {
    id: 'SearchSnapshots',
    description:
      'Searches work, but would be unavailable for longer if the index were lost: the hourly snapshot of the search domain fails.',
    section: 'Snapshots of the search domain fail',
    metric: domain.metricAutomatedSnapshotFailure({ period: minute, statistic: 'Maximum' }),
    above: 0,
    periods: { bad: 1, of: 1 },
  },
];

/** @param below the free space in the unit of the service's own metric: bytes for RDS, MB for OpenSearch */
const nearlyFull = (
  disk: Pick<IDatabaseInstance & IDomain, 'metricFreeStorageSpace'>,
  below: number,
): AlarmCondition => ({
  metric: disk.metricFreeStorageSpace({ period: minute, statistic: 'Minimum' }),
  below,
  periods: quarterHour,
});

/** @param flag a metric that is 1 while the problem lasts, else 0 */
const flagged = (flag: IMetric): AlarmCondition => ({ metric: flag, above: 0, periods: { bad: 3, of: 3 } });
