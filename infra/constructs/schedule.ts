import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { ServiceFunction } from './service-function.ts';

/** Calls the function by the clock. A call that fails, or finds it busy, is not made again: the next one does the same. */
export function every(time: Duration, fn: ServiceFunction): void {
  fn.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
  new Rule(fn, 'Schedule', { schedule: Schedule.rate(time), targets: [new LambdaFunction(fn)] });
}
