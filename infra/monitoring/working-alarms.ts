import { Duration } from 'aws-cdk-lib';
import { MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { MetricName } from '../../functions/runtime/observe/metrics.ts';
import type { FunctionName } from '../functions.ts';
import type { AlarmSpec, When } from './alarm.ts';
import { functionOf, minute, reported, type Watched, type WatchedQueue } from './watched.ts';

/** In health, what is accepted is readable and searchable within some seconds. */
const lateSeconds = 60;

/** What clients feel after a while: what was accepted does not become readable, searchable or counted. */
export function workingAlarms(watched: Watched): AlarmSpec[] {
  const { storeQueue, searchQueue, rollupMinutes } = watched;
  // A run may take five minutes, or as long as it is to the next; those of the others fifteen.
  const rollUp = Duration.minutes(Math.max(rollupMinutes, 5));
  const quarter = Duration.minutes(15);
  return [
    {
      id: 'StoreQueueAge',
      says: 'Readers do not see what was accepted more than a minute ago: the store worker does not keep up. Nothing is lost.',
      section: 'Accepted messages are not readable',
      ...oldest(storeQueue),
    },
    {
      id: 'StoreFails',
      says: 'Readers do not see what is accepted: the store worker fails time after time, as when MySQL is out. Nothing is lost.',
      section: 'Accepted messages are not readable',
      ...failing(watched, 'store_failures'),
    },
    {
      id: 'StoredLag',
      says: 'Readers see new messages more than a minute late: from acceptance to MySQL, parked writes included. Nothing is lost.',
      section: 'Accepted messages are not readable',
      ...late(watched, 'stored_lag'),
    },
    {
      id: 'StoreDeadLetters',
      says: 'An accepted write is missing for its readers, and stays so: the store worker put it aside as a dead letter.',
      section: 'Dead letters of the store queue',
      ...any(storeQueue),
    },
    {
      id: 'SearchQueueAge',
      says: 'Searches do not find what was accepted more than a minute ago: the search worker does not keep up. Nothing is lost.',
      section: 'New messages are not found',
      ...oldest(searchQueue),
    },
    {
      id: 'IndexFails',
      says: 'Searches do not find what is accepted: the search worker fails time after time, as when OpenSearch or MySQL is out. Nothing is lost.',
      section: 'New messages are not found',
      ...failing(watched, 'index_failures'),
    },
    {
      id: 'IndexedLag',
      says: 'Searches find new messages more than a minute late, from acceptance to the search index. Nothing is lost.',
      section: 'New messages are not found',
      ...late(watched, 'indexed_lag'),
    },
    {
      id: 'SearchDeadLetters',
      says: 'Some messages can be read and are never found: the search worker put their record aside as a dead letter.',
      section: 'Dead letters of the search queue',
      ...any(searchQueue),
    },
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
