import { Duration } from 'aws-cdk-lib';
import { MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type QueueName, queueNames, queues } from '../../functions/queues.ts';
import type { MetricName } from '../../functions/runtime/observe/metrics.ts';
import type { FunctionName } from '../functions.ts';
import { queueResources } from '../queues.ts';
import type { AlarmSpec, When } from './alarm.ts';
import { functionOf, minute, reported, type Watched, type WatchedQueue } from './watched.ts';

/** In health, what is accepted is readable and searchable within some seconds. */
const lateSeconds = 60;

/** What clients feel after a while: what was accepted does not become readable, searchable or counted. */
export function workingAlarms(watched: Watched): AlarmSpec[] {
  const { rollupMinutes } = watched;
  // A run may take five minutes, or as long as it is to the next; those of the others fifteen.
  const rollUp = Duration.minutes(Math.max(rollupMinutes, 5));
  const quarter = Duration.minutes(15);
  return [
    ...queueNames.flatMap((name) => queueAlarms(watched, name)),
    {
      id: 'RollUpFails',
      says: 'Clients see old counts of chats and messages: the roll-up has not ended well for a while.',
      section: 'Counts are old',
      ...noSuccess(watched, 'rollUpSchedule', rollUp),
    },
    {
      id: 'SweepFails',
      says: 'Writes that were accepted while SQS was out wait in the ledger’s table, unseen by readers: sending them has not ended well for a while. Nothing is lost.',
      section: 'Parked writes are not sent',
      ...noSuccess(watched, 'sweepSchedule', quarter),
    },
    {
      id: 'PurgeFails',
      says: 'What clients deleted is hidden from them, and is still stored: the purge has not ended well for a while.',
      section: 'Deleted data stays',
      ...noSuccess(watched, 'purgeSchedule', quarter),
    },
  ];
}

function queueAlarms(watched: Watched, name: QueueName): AlarmSpec[] {
  const { lag, failed } = queues[name].metrics;
  const { alarms } = queueResources[name];
  return [
    { ...alarms.age, ...oldest(watched.queues[name]) },
    { ...alarms.failing, ...failing(watched, failed) },
    { ...alarms.lag, ...late(watched, lag) },
    { ...alarms.deadLetters, ...any(watched.queues[name]) },
  ];
}

const late = (watched: Watched, lag: MetricName): When => ({
  metric: reported(watched, lag, 'p90'),
  above: lateSeconds,
  periods: { bad: 5, of: 5 },
});

/**
 * SQS leaves out of the age what was delivered three times and is not done, and a lag is reported by batches that end
 * well: both say nothing of an outage, in which batches come again at least once a minute and fail.
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html)
 */
const failing = (watched: Watched, failures: MetricName): When => ({
  metric: reported(watched, failures),
  above: 0,
  periods: { bad: 3, of: 5 },
});

const oldest = ({ queue }: WatchedQueue): When => ({
  metric: queue.metricApproximateAgeOfOldestMessage({ period: minute, statistic: 'Maximum' }),
  above: lateSeconds,
  periods: { bad: 3, of: 3 },
});

const any = ({ deadLetters }: WatchedQueue): When => ({
  metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: minute, statistic: 'Maximum' }),
  above: 0,
  periods: { bad: 1, of: 1 },
});

/** A schedule that does not run at all is as bad as one that fails, so its successes are counted. */
function noSuccess(watched: Watched, name: FunctionName, period: Duration): When {
  const fn = functionOf(watched, name);
  return {
    metric: new MathExpression({
      expression: 'runs - FILL(errors, 0)',
      usingMetrics: { runs: fn.metricInvocations({ period }), errors: fn.metricErrors({ period }) },
      period,
      label: `${name}: runs that ended well`,
    }),
    below: 1,
    periods: { bad: 2, of: 2 },
    missing: TreatMissingData.BREACHING,
  };
}
