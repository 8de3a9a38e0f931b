import { type IMetric, MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { IDomain } from 'aws-cdk-lib/aws-opensearchservice';
import type { IDatabaseInstance } from 'aws-cdk-lib/aws-rds';
import type { AlarmSpec, When } from './alarm.ts';
import { minute, ofProxy, type Watched } from './watched.ts';

/** RDS enlarges the disk when a tenth of it is left, at most every six hours; below this it did not, or not enough. */
const leastDatabaseBytes = 1_500_000_000;
/** OpenSearch gives shards no more room when 15 % is left, and takes no writes when there is next to none. */
const leastSearchDiskShare = 0.2;
const megabytesPerGb = 1_024;

/** What will be felt, or is felt in several ways at once. */
export const serverAlarms = ({ mysql, search }: Watched): AlarmSpec[] => [
  ...(mysql ? mysqlAlarms(mysql) : []),
  ...(search ? searchAlarms(search) : []),
];

const mysqlAlarms = ({ instance, proxyName }: NonNullable<Watched['mysql']>): AlarmSpec[] => [
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
];

const searchAlarms = ({ domain, diskGb }: NonNullable<Watched['search']>): AlarmSpec[] => [
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
];

/** Free space below this for a quarter of an hour; in the unit of the service's own metric. */
const nearlyFull = (disk: Pick<IDatabaseInstance & IDomain, 'metricFreeStorageSpace'>, below: number): When => ({
  metric: disk.metricFreeStorageSpace({ period: minute, statistic: 'Minimum' }),
  below,
  periods: { bad: 15, of: 15 },
});

/** A metric that is 1 while something is so. */
const raised = (flag: IMetric): When => ({ metric: flag, above: 0, periods: { bad: 3, of: 3 } });
