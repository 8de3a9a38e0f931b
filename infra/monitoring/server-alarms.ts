import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IDomain } from 'aws-cdk-lib/aws-opensearchservice';
import type { IDatabaseInstance } from 'aws-cdk-lib/aws-rds';
import type { AlarmSpec, When } from './alarm.ts';
import { minute, ofProxy, type Watched } from './watched.ts';

/** RDS enlarges the disk when a tenth of it is left, at most every six hours; below this it did not, or not enough. */
const leastDatabaseBytes = 1_500_000_000;
/** OpenSearch gives shards no more room when 15 % is left, and takes no writes when there is next to none. */
const leastSearchDiskShare = 0.2;
const megabytesPerGb = 1_024;
/** MySQL's own buffers take three quarters of the memory from the start; below this, Linux may soon end the server. */
const leastDatabaseMemoryBytes = 100_000_000;
/** In %. AWS blocks all writes when the heap is above this for half an hour. */
const mostSearchHeap = 92;
/** In %, for three quarters of an hour: AWS's recommended alarm. */
const mostSearchProcessor = 80;

/** What will be felt, or is felt in several ways at once. */
export const serverAlarms = ({ mysql, search }: Watched): AlarmSpec[] => [
  ...(mysql ? mysqlAlarms(mysql) : []),
  ...(search ? searchAlarms(search) : []),
];

const mysqlAlarms = ({ instance, proxyName, burstable }: NonNullable<Watched['mysql']>): AlarmSpec[] => [
  {
    id: 'DatabaseConnections',
    says: 'Readers will get 503 soon: more than four in five of the connections to MySQL are in use.',
    section: 'Connections to MySQL run out',
    metric: new MathExpression({
      expression: '100 * used / most',
      usingMetrics: {
        used: ofProxy(proxyName, 'DatabaseConnections', 'Sum'),
        most: ofProxy(proxyName, 'MaxDatabaseConnectionsAllowed', 'Sum'),
      },
      period: minute,
      label: 'connections in use, %',
    }),
    above: 80,
    periods: { bad: 5, of: 5 },
  },
  {
    id: 'DatabaseDisk',
    says: 'Readers will not see new messages soon: MySQL’s disk is nearly full and did not grow by itself. Then nothing more is stored.',
    section: 'The disk of MySQL is nearly full',
    ...nearlyFull(instance, leastDatabaseBytes),
  },
  {
    id: 'DatabaseMemory',
    says: 'Readers will get 503 for a minute or more, time after time: MySQL has hardly any memory left, and is restarted when there is none.',
    section: 'MySQL runs out of memory',
    metric: instance.metricFreeableMemory({ period: minute, statistic: 'Minimum' }),
    below: leastDatabaseMemoryBytes,
    periods: { bad: 15, of: 15 },
  },
  ...(burstable ? [creditsAlarm(instance)] : []),
];

/**
 * Charges, not the balance of credits: an instance begins with none, so a balance would ring on the first day. Without a
 * limit, which is what RDS sets, it goes on at full speed and costs more.
 */
const creditsAlarm = (instance: IDatabaseInstance): AlarmSpec => ({
  id: 'DatabaseCredits',
  says: 'Clients notice nothing, and the bill grows: MySQL has used more processor time for a day than its instance type includes.',
  section: 'MySQL uses more processor time than it earns',
  // AWS reports credits every five minutes.
  metric: instance.metric('CPUSurplusCreditsCharged', { period: Duration.minutes(5), statistic: 'Maximum' }),
  above: 0,
  periods: { bad: 3, of: 3 },
});

const searchAlarms = ({ domain, diskGb, nodes }: NonNullable<Watched['search']>): AlarmSpec[] => [
  {
    id: 'SearchRed',
    says: 'Searches leave out messages or get 503: a part of the search index is on no node.',
    section: 'The search domain is red',
    ...raised(domain.metricClusterStatusRed({ period: minute, statistic: 'Maximum' })),
  },
  {
    id: 'SearchWritesBlocked',
    says: 'Searches do not find new messages: the search domain takes no writes, for want of disk or memory. Nothing is lost.',
    section: 'The search domain takes no writes',
    ...raised(domain.metricClusterIndexWritesBlocked({ period: minute, statistic: 'Maximum' })),
  },
  {
    id: 'SearchDisk',
    says: 'Searches will not find new messages soon: a node of the search domain has less than a fifth of its disk left.',
    section: 'The disk of the search domain is nearly full',
    ...nearlyFull(domain, leastSearchDiskShare * diskGb * megabytesPerGb),
  },
  {
    id: 'SearchMemory',
    says: 'Searches will not find new messages soon: the heap of a search node is nearly full, and AWS blocks writes to the domain then.',
    section: 'The search domain runs out of memory',
    metric: domain.metricJVMMemoryPressure({ period: minute, statistic: 'Maximum' }),
    above: mostSearchHeap,
    periods: { bad: 15, of: 15 },
  },
  {
    id: 'SearchProcessor',
    says: 'Searches are slow or get 503, and find new messages late: the search domain uses nearly all of its processors.',
    section: 'The search domain uses all of its processors',
    metric: domain.metricCPUUtilization({ period: Duration.minutes(15), statistic: 'Average' }),
    above: mostSearchProcessor,
    periods: { bad: 3, of: 3 },
  },
  {
    id: 'SearchNodes',
    says: 'Searches will be out if another node fails, or are already: the search domain has fewer nodes than it should.',
    section: 'A search node is missing',
    metric: domain.metricNodes({ period: minute, statistic: 'Minimum' }),
    below: nodes,
    periods: { bad: 15, of: 15 },
    // A domain whose only node is gone reports nothing.
    missing: TreatMissingData.BREACHING,
  },
  {
    id: 'SearchSnapshots',
    says: 'Searches work, and would be out for longer after a loss of the index: the search domain’s hourly snapshot fails.',
    section: 'Snapshots of the search domain fail',
    metric: domain.metricAutomatedSnapshotFailure({ period: minute, statistic: 'Maximum' }),
    above: 0,
    periods: { bad: 1, of: 1 },
  },
];

/** Free space below this for a quarter of an hour; in the unit of the service's own metric. */
const nearlyFull = (disk: Pick<IDatabaseInstance & IDomain, 'metricFreeStorageSpace'>, below: number): When => ({
  metric: disk.metricFreeStorageSpace({ period: minute, statistic: 'Minimum' }),
  below,
  periods: { bad: 15, of: 15 },
});

/** A metric that is 1 while something is so. */
const raised = (flag: IMetric): When => ({ metric: flag, above: 0, periods: { bad: 3, of: 3 } });
