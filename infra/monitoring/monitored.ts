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
export interface MonitoredQueue {
  queue: IQueue;
  deadLetters: IQueue;
}

/** The resources that dashboard and alarms monitor, in the order of the data flow. */
export interface Monitored {
  /** The name of the deployment: the dimension `service` of the metrics that functions report. */
  system: string;
  rest: RestApi;
  functions: ReadonlyMap<FunctionName, IFunction>;
  ledger: Pick<ITable, 'metric'>;
  queues: Record<QueueName, MonitoredQueue>;
  /**
   * The queue and the API of the feed; undefined where clients cannot follow changes live. `apiId`: the id of the Event
   * API of AppSync.
   */
  feed?: (MonitoredQueue & { apiId: string }) | undefined;
  /** Undefined for an existing database: its owner monitors it. `burstable`: its CPU time is limited by credits. */
  mysql?: { instance: IDatabaseInstance; proxyName: string; burstable: boolean } | undefined;
  /** Undefined for an existing search cluster: its owner monitors it. */
  search?: { domain: IDomain; diskGb: number; nodes: number } | undefined;
  /** The time between two runs of the roll-up. */
  rollupMinutes: number;
}

export const minute = Duration.minutes(1);

/** @throws Error when the deployment has no function of this name */
export function functionOf({ functions }: Monitored, name: FunctionName): IFunction {
  const fn = functions.get(name);
  if (!fn) throw new Error(`There is no function ${name}`);
  return fn;
}

/** Returns a metric that functions report (functions/runtime/observe/metrics.ts). */
export const reportedMetric = (
  { system: service }: Monitored,
  name: MetricName,
  statistic: string = Stats.SUM,
): Metric =>
  new Metric({
    namespace: metricsNamespace,
    metricName: name,
    dimensionsMap: { service },
    statistic,
    period: minute,
    label: `${name} (${metrics[name] === 'Seconds' ? `${statistic}, s` : statistic})`,
  });

/** Returns a metric of an Event API of AppSync. CDK has no method for these. */
export const eventApiMetric = (EventAPIId: string, metricName: string, statistic: string = Stats.SUM): Metric =>
  new Metric({ namespace: 'AWS/AppSync', metricName, dimensionsMap: { EventAPIId }, statistic, period: minute });

/** Returns a metric of RDS Proxy. CDK has no method for these. */
export const proxyMetric = (proxyName: string, metricName: string, statistic: string): Metric =>
  new Metric({ namespace: 'AWS/RDS', metricName, dimensionsMap: { ProxyName: proxyName }, statistic, period: minute });
