import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { ServiceFunction } from './service-function.ts';

/** Calls the function at a fixed interval. Failed and throttled calls are not retried, because the next call does the work. */
export function every(interval: Duration, fn: ServiceFunction): void {
  fn.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
  new Rule(fn, 'Schedule', { schedule: Schedule.rate(interval), targets: [new LambdaFunction(fn)] });
}
