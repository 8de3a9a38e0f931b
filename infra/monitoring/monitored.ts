import { Duration } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IDomain } from 'aws-cdk-lib/aws-opensearchservice';
import type { IDatabaseInstance } from 'aws-cdk-lib/aws-rds';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { QueueName } from '../../functions/queues.ts';
import { type MetricName, metrics, metricsNamespace } from '../../functions/runtime/observe/metrics.ts';
import type { FunctionName } from '../functions.ts';

/** A queue between two steps, and the queue of its dead letters. */
export interface WatchedQueue {
  queue: IQueue;
  deadLetters: IQueue;
}

/** All that is looked at, in the order of the flow. */
export interface Watched {
  /** Under which functions report. */
  system: string;
  rest: RestApi;
  functions: ReadonlyMap<FunctionName, IFunction>;
  ledger: Pick<ITable, 'metric'>;
  queues: Record<QueueName, WatchedQueue>;
  /** None where SQL is given: whoever gives it looks at it. */
  mysql?: { instance: IDatabaseInstance; proxyName: string; burstable: boolean } | undefined;
  /** None where search is given. */
  search?: { domain: IDomain; diskGb: number; nodes: number } | undefined;
  rollupMinutes: number;
}

export const minute = Duration.minutes(1);

export function functionOf({ functions }: Watched, name: FunctionName): IFunction {
  const fn = functions.get(name);
  if (!fn) throw new Error(`There is no function ${name}`);
  return fn;
}

/** A metric of the catalogue. */
export const reported = ({ system: service }: Watched, name: MetricName, statistic: string = Stats.SUM): Metric =>
  new Metric({
    namespace: metricsNamespace,
    metricName: name,
    dimensionsMap: { service },
    statistic,
    period: minute,
    label: `${name} (${metrics[name] === 'Seconds' ? `${statistic}, s` : statistic})`,
  });

/** A metric of RDS that CDK has no name for. */
export const ofProxy = (proxyName: string, metricName: string, statistic: string): Metric =>
  new Metric({ namespace: 'AWS/RDS', metricName, dimensionsMap: { ProxyName: proxyName }, statistic, period: minute });
