import { describe, expect, test } from 'vitest';
import { queueNames, workerName } from '../../functions/queues.ts';
import type { FunctionName } from '../../infra/functions.ts';
import { limits } from '../../lib/limits.ts';
import { everyStage, synthesize } from '../support/infra/synthesis.ts';
import type { SynthesizedStack } from '../support/infra/synthesized-stack.ts';

const { data, service } = synthesize(everyStage.prod);

test('the two queues keep the logical ids that they were deployed with', () => {
  const ids = data.ofType('AWS::SQS::Queue').map(([id]) => id);
  expect(ids).toEqual(
    expect.arrayContaining([
      'StoreQueueDeadLetters7D0DDA1E',
      'StoreQueue86AE2979',
      'SearchQueueDeadLetters0C993BD8',
      'SearchQueueA64DEA15',
    ]),
  );
});

describe.each(queueNames)('the %s queue', (name) => {
  const queue = data.one('AWS::SQS::Queue', new RegExp(`^${name}Queue[0-9A-F]{8}$`, 'i'));
  const deadLetters = data.one('AWS::SQS::Queue', new RegExp(`^${name}QueueDeadLetters`, 'i'));
  const worker = service.function(workerName(name));
  const [, feed] =
    service
      .ofType('AWS::Lambda::EventSourceMapping')
      .find(([, { Properties }]) => Properties.FunctionName.Ref === worker.id) ?? [];

  test(`the ${name} queue keeps messages for 14 days, encrypted, and so does its dead-letter queue`, () => {
    for (const { id, resource } of [queue, deadLetters]) {
      expect(resource.Properties).toMatchObject({
        MessageRetentionPeriod: 14 * 24 * 60 * 60,
        SqsManagedSseEnabled: true,
      });
      const policy = data.ofType('AWS::SQS::QueuePolicy').find(([, { Properties }]) => Properties.Queues[0].Ref === id);
      expect(JSON.stringify(policy)).toContain('"aws:SecureTransport":"false"');
    }
  });

  test(`the ${name} queue moves a message to the dead letters only after the maximum number of deliveries`, () => {
    expect(queue.resource.Properties.RedrivePolicy).toEqual({
      deadLetterTargetArn: { 'Fn::GetAtt': [deadLetters.id, 'Arn'] },
      maxReceiveCount: limits.maxReceives,
    });
  });

  test(`the ${name} queue has a visibility timeout of six times the timeout of its worker plus the batching window`, () => {
    const window = feed?.Properties.MaximumBatchingWindowInSeconds;
    expect(queue.resource.Properties.VisibilityTimeout).toBeGreaterThanOrEqual(6 * worker.properties.Timeout + window);
  });

  test(`the ${name} queue delivers batches whose records succeed or fail individually, with limited concurrency`, () => {
    expect(feed?.Properties).toMatchObject({
      EventSourceArn: { 'Fn::GetAtt': [queue.id, 'Arn'] },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: expect.any(Number) },
    });
    // SQS requires a batching window for batches of more than ten messages.
    expect(feed?.Properties.BatchSize).toBeGreaterThan(10);
    expect(feed?.Properties.MaximumBatchingWindowInSeconds).toBeGreaterThanOrEqual(1);
  });
});

describe('the schedules', () => {
  const scheduleOf = (from: SynthesizedStack, name: 'rollUpSchedule' | 'purgeSchedule' | 'sweepSchedule') =>
    from
      .ofType('AWS::Events::Rule')
      .filter(([, { Properties }]) => Properties.Targets[0].Arn['Fn::GetAtt'][0] === from.function(name).id)
      .map(([, { Properties }]) => Properties.ScheduleExpression);

  test.each(['rollUpSchedule', 'purgeSchedule', 'sweepSchedule'] as const)(
    'the schedules run %s every minute',
    (name) => {
      expect(scheduleOf(service, name)).toEqual(['rate(1 minute)']);
    },
  );

  test('the schedules run the roll-up at the interval of rollupMinutes', () => {
    expect(scheduleOf(synthesize({ rollupMinutes: '15' }).service, 'rollUpSchedule')).toEqual(['rate(15 minutes)']);
  });

  test('the schedules do not retry a call that fails or is throttled', () => {
    for (const [, { Properties }] of service.ofType('AWS::Lambda::EventInvokeConfig'))
      expect(Properties).toMatchObject({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 });
    expect(service.ofType('AWS::Lambda::EventInvokeConfig')).toHaveLength(3);
  });

  test('the schedules run the roll-up, the purge and the sweep one at a time in prod', () => {
    const reserved = (name: FunctionName, from = service) =>
      from.function(name).properties.ReservedConcurrentExecutions;
    expect([reserved('rollUpSchedule'), reserved('purgeSchedule'), reserved('sweepSchedule')]).toEqual([1, 1, 1]);
    // The concurrency of a new account is too small to reserve any.
    expect(reserved('rollUpSchedule', synthesize(everyStage.dev).service)).toBeUndefined();
  });
});
