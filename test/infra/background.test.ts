import { describe, expect, test } from 'vitest';
import { queueNames, workerName } from '../../functions/queues.ts';
import type { FunctionName } from '../../infra/functions.ts';
import { limits } from '../../lib/limits.ts';
import { everyStage, synthesize } from '../support/synthesis.ts';
import type { SynthesizedStack } from '../support/synthesized-stack.ts';

const { data, service } = synthesize(everyStage.prod);

test('the two queues keep the ids that they were deployed with', () => {
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

  test('keeps what it holds for 14 days, encrypted, and so do its dead letters', () => {
    for (const { id, resource } of [queue, deadLetters]) {
      expect(resource.Properties).toMatchObject({
        MessageRetentionPeriod: 14 * 24 * 60 * 60,
        SqsManagedSseEnabled: true,
      });
      const policy = data.ofType('AWS::SQS::QueuePolicy').find(([, { Properties }]) => Properties.Queues[0].Ref === id);
      expect(JSON.stringify(policy)).toContain('"aws:SecureTransport":"false"');
    }
  });

  test('gives a message up only after as many deliveries as SQS counts', () => {
    expect(queue.resource.Properties.RedrivePolicy).toEqual({
      deadLetterTargetArn: { 'Fn::GetAtt': [deadLetters.id, 'Arn'] },
      maxReceiveCount: limits.maxReceives,
    });
  });

  test('hides a message six times as long as its worker may take, and the window', () => {
    const window = feed?.Properties.MaximumBatchingWindowInSeconds;
    expect(queue.resource.Properties.VisibilityTimeout).toBeGreaterThanOrEqual(6 * worker.properties.Timeout + window);
  });

  test('feeds its worker in batches whose records succeed or fail alone, few at once', () => {
    expect(feed?.Properties).toMatchObject({
      EventSourceArn: { 'Fn::GetAtt': [queue.id, 'Arn'] },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: expect.any(Number) },
    });
    // SQS fills a batch of more than ten only when it may wait.
    expect(feed?.Properties.BatchSize).toBeGreaterThan(10);
    expect(feed?.Properties.MaximumBatchingWindowInSeconds).toBeGreaterThanOrEqual(1);
  });
});

describe('the schedule', () => {
  const scheduleOf = (from: SynthesizedStack, name: 'rollUpSchedule' | 'purgeSchedule' | 'sweepSchedule') =>
    from
      .ofType('AWS::Events::Rule')
      .filter(([, { Properties }]) => Properties.Targets[0].Arn['Fn::GetAtt'][0] === from.function(name).id)
      .map(([, { Properties }]) => Properties.ScheduleExpression);

  test.each(['rollUpSchedule', 'purgeSchedule', 'sweepSchedule'] as const)('runs %s every minute', (name) => {
    expect(scheduleOf(service, name)).toEqual(['rate(1 minute)']);
  });

  test('rolls up as often as it is told', () => {
    expect(scheduleOf(synthesize({ rollupMinutes: '15' }).service, 'rollUpSchedule')).toEqual(['rate(15 minutes)']);
  });

  test('does not catch up: a call that finds its function busy is left to the next', () => {
    for (const [, { Properties }] of service.ofType('AWS::Lambda::EventInvokeConfig'))
      expect(Properties).toMatchObject({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 });
    expect(service.ofType('AWS::Lambda::EventInvokeConfig')).toHaveLength(3);
  });

  test('in prod, one run at a time works on SQL', () => {
    const atOnce = (name: FunctionName, from = service) => from.function(name).properties.ReservedConcurrentExecutions;
    expect([atOnce('rollUpSchedule'), atOnce('purgeSchedule'), atOnce('sweepSchedule')]).toEqual([1, 1, undefined]);
    // A new account has too few to reserve any.
    expect(atOnce('rollUpSchedule', synthesize(everyStage.dev).service)).toBeUndefined();
  });
});
