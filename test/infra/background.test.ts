import { describe, expect, test } from 'vitest';
import { limits } from '../../lib/limits.ts';
import { given, synthesize } from '../support/synthesis.ts';

const stack = synthesize(given);

describe.each([
  ['store', 'storeWorker', /^StoreQueue[0-9A-F]{8}$/, /^StoreQueueDeadLetters/],
  ['search', 'searchWorker', /^SearchQueue[0-9A-F]{8}$/, /^SearchQueueDeadLetters/],
] as const)('the %s queue', (_name, workerName, queuePattern, deadLettersPattern) => {
  const queue = stack.one('AWS::SQS::Queue', queuePattern);
  const deadLetters = stack.one('AWS::SQS::Queue', deadLettersPattern);
  const worker = stack.function(workerName);
  const [, feed] =
    stack
      .ofType('AWS::Lambda::EventSourceMapping')
      .find(([, { Properties }]) => Properties.FunctionName.Ref === worker.id) ?? [];

  test('keeps what it holds for 14 days, encrypted, and so do its dead letters', () => {
    for (const { id, resource } of [queue, deadLetters]) {
      expect(resource.Properties).toMatchObject({
        MessageRetentionPeriod: 14 * 24 * 60 * 60,
        SqsManagedSseEnabled: true,
      });
      const policy = stack
        .ofType('AWS::SQS::QueuePolicy')
        .find(([, { Properties }]) => Properties.Queues[0].Ref === id);
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
  const scheduleOf = (from: typeof stack, name: 'rollUpSchedule' | 'purgeSchedule' | 'sweepSchedule') =>
    from
      .ofType('AWS::Events::Rule')
      .filter(([, { Properties }]) => Properties.Targets[0].Arn['Fn::GetAtt'][0] === from.function(name).id)
      .map(([, { Properties }]) => Properties.ScheduleExpression);

  test.each(['rollUpSchedule', 'purgeSchedule', 'sweepSchedule'] as const)('runs %s every minute', (name) => {
    expect(scheduleOf(stack, name)).toEqual(['rate(1 minute)']);
  });

  test('rolls up as often as it is told', () => {
    expect(scheduleOf(synthesize({ ...given, rollupMinutes: '15' }), 'rollUpSchedule')).toEqual(['rate(15 minutes)']);
  });
});

describe("the ledger's table", () => {
  test('can be set back to any moment, and forgets what has expired', () => {
    expect(stack.one('AWS::DynamoDB::Table').resource.Properties).toMatchObject({
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
    });
  });

  test('goes with a stack for development, and outlives any other', () => {
    expect(stack.one('AWS::DynamoDB::Table').resource).toMatchObject({ DeletionPolicy: 'Delete' });
    const { resource } = synthesize({ ...given, stage: 'production' }).one('AWS::DynamoDB::Table');
    expect(resource).toMatchObject({ DeletionPolicy: 'Retain', Properties: { DeletionProtectionEnabled: true } });
  });
});
