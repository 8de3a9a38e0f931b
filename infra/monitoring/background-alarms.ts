import { Duration } from 'aws-cdk-lib';
import { MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type AwsQueue, queueNames, queues } from '../../functions/queues.ts';
import type { MetricName } from '../../functions/runtime/observe/metrics.ts';
import type { FunctionName } from '../functions.ts';
import { queueResources } from '../queues.ts';
import { type AlarmCondition, type AlarmSpec, sumOf } from './alarm.ts';
import { functionOf, type Monitored, type MonitoredQueue, minute, reportedMetric } from './monitored.ts';

/** Normally a message is readable and searchable within seconds of its acceptance. */
const lateSeconds = 60;

/**
 * Returns the alarms for queues and schedules. They fire when background work fails or is late, for example when
 * accepted writes do not become readable, searchable or counted.
 */
export function backgroundAlarms(monitored: Monitored): AlarmSpec[] {
  const { rollupMinutes } = monitored;
  // Every period must be long enough for one run to start and end. A roll-up may take five minutes and starts every
  // `rollupMinutes`; the other schedules start every minute and may take 15 minutes.
  const rollUpPeriod = Duration.minutes(Math.max(rollupMinutes, 5));
  const otherPeriod = Duration.minutes(15);
  return [
    ...queueNames.flatMap((name) => queueAlarms(monitored, name, monitored.queues[name])),
    ...(monitored.feed ? [...queueAlarms(monitored, 'feed', monitored.feed), admissionAlarm(monitored)] : []),
    {
      id: 'RollUpFails',
      description: 'Clients see outdated counts of chats and messages: no recent run of the roll-up succeeded.',
      section: 'Counts are old',
      ...noSuccess(monitored, 'rollUpSchedule', rollUpPeriod),
    },
    {
      id: 'SweepFails',
      description:
        'Readers do not see writes that were accepted while SQS was unavailable: the writes are parked in the ledger, and no recent run of the sweep succeeded in sending them. Nothing is lost.',
      section: 'Parked writes are not sent',
      ...noSuccess(monitored, 'sweepSchedule', otherPeriod),
    },
    {
      id: 'PurgeFails',
      description:
        'Clients do not see what they deleted, but it is still stored: no recent run of the purge succeeded.',
      section: 'Deleted data stays',
      ...noSuccess(monitored, 'purgeSchedule', otherPeriod),
    },
  ];
}

function queueAlarms(monitored: Monitored, name: AwsQueue, queue: MonitoredQueue): AlarmSpec[] {
  const { lag, failed } = queues[name].metrics;
  const { alarms } = queueResources[name];
  return [
    { ...alarms.age, ...oldRecords(queue) },
    { ...alarms.failing, ...failingBatches(monitored, failed) },
    { ...alarms.lag, ...lateBatches(monitored, lag) },
    { ...alarms.deadLetters, ...anyDeadLetter(queue) },
  ];
}

/** Fires when the function that admits followers fails or is throttled. AppSync then refuses them. */
function admissionAlarm(monitored: Monitored): AlarmSpec {
  const authorizer = functionOf(monitored, 'feedAuthorizer');
  return {
    id: 'FollowersRefused',
    description:
      'Clients cannot begin to follow changes: the function that checks their tokens for AppSync fails or is throttled.',
    section: 'Changes are not live',
    metric: sumOf(
      [authorizer.metricErrors({ period: minute }), authorizer.metricThrottles({ period: minute })],
      minute,
      'failed checks',
    ),
    above: 0,
    periods: { bad: 3, of: 5 },
  };
}

/** Fires when the oldest record in the queue is older than `lateSeconds` for three minutes. */
const oldRecords = ({ queue }: MonitoredQueue): AlarmCondition => ({
  metric: queue.metricApproximateAgeOfOldestMessage({ period: minute, statistic: 'Maximum' }),
  above: lateSeconds,
  periods: { bad: 3, of: 3 },
});

/**
 * Fires when batches keep failing. The other alarms miss an outage: the age of the oldest message excludes messages
 * that SQS has delivered three times or more, and only batches that succeed report a lag. During an outage, batches are
 * retried and fail at least once a minute.
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html)
 */
const failingBatches = (monitored: Monitored, failures: MetricName): AlarmCondition => ({
  metric: reportedMetric(monitored, failures),
  above: 0,
  periods: { bad: 3, of: 5 },
});

/** Fires when the lag of one batch in ten is longer than `lateSeconds` for five minutes. */
const lateBatches = (monitored: Monitored, lag: MetricName): AlarmCondition => ({
  metric: reportedMetric(monitored, lag, 'p90'),
  above: lateSeconds,
  periods: { bad: 5, of: 5 },
});

/** Fires when there is a dead letter. */
const anyDeadLetter = ({ deadLetters }: MonitoredQueue): AlarmCondition => ({
  metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: minute, statistic: 'Maximum' }),
  above: 0,
  periods: { bad: 1, of: 1 },
});

/** Fires when no run succeeds in two periods. Counting successes also catches a schedule that does not run at all. */
function noSuccess(monitored: Monitored, name: FunctionName, period: Duration): AlarmCondition {
  const fn = functionOf(monitored, name);
  return {
    metric: new MathExpression({
      expression: 'runs - FILL(errors, 0)',
      usingMetrics: { runs: fn.metricInvocations({ period }), errors: fn.metricErrors({ period }) },
      period,
      label: `${name}: successful runs`,
    }),
    below: 1,
    periods: { bad: 2, of: 2 },
    missing: TreatMissingData.BREACHING,
  };
}
