import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type QueueName, queueNames } from '../../functions/queues.ts';
import { metrics } from '../../functions/runtime/observe/metrics.ts';
import { stages } from '../../infra/config.ts';
import { runbookLink } from '../../infra/monitoring/alarm.ts';
import { queueResources } from '../../infra/queues.ts';
import { given, synthesize } from '../support/synthesis.ts';
import type { Resource, SynthesizedStack } from '../support/synthesized-stack.ts';

const runbook = readFileSync(path.resolve(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
const headings = [...runbook.matchAll(/^##+ (.*)$/gm)].map(([, heading]) => heading as string);

const watchOf = (flags: Record<string, string>): SynthesizedStack => synthesize(flags).watch as SynthesizedStack;
const prod = watchOf({ stage: 'prod', alarmEmail: 'someone@example.org' });
const idOf = (id: string) => id.replace(/^Alarms/, '').replace(/[0-9A-F]{8}$/, '');
const alarms = new Map(prod.ofType('AWS::CloudWatch::Alarm').map(([id, alarm]) => [idOf(id), alarm]));
const alarm = (id: string) => (alarms.get(id) as Resource).Properties;
const topic = prod.one('AWS::SNS::Topic');

test('what users would feel has an alarm', () => {
  expect([...alarms.keys()].sort()).toEqual(
    [
      ...['ApiErrors', 'ApiLatency', 'ThrottledWrites', 'ThrottledReads', 'LedgerThrottles'],
      ...Object.values(queueResources).flatMap((each) => Object.values(each.alarms).map(({ id }) => id)),
      ...['RollUpFails', 'SweepFails', 'PurgeFails', 'DatabaseConnections', 'DatabaseDisk'],
      ...['DatabaseMemory', 'DatabaseCredits', 'SearchRed', 'SearchWritesBlocked', 'SearchDisk'],
      ...['SearchMemory', 'SearchProcessor', 'SearchNodes', 'SearchSnapshots'],
    ].sort(),
  );
});

describe.each([...alarms])('the alarm %s', (_id, { Properties }) => {
  test('says in words what is broken for whom, and links a section of the runbook that is there', () => {
    const [, says = '', link] = /^(.*) What to do: (docs\/runbook\.md#[\w-]+)$/.exec(Properties.AlarmDescription) ?? [];
    expect(says).toMatch(/\b(clients?|writers?|readers?|searche?s?|messages)\b/i);
    expect(says.split(' ').length).toBeGreaterThan(8);
    expect(headings.map((heading) => runbookLink(heading))).toContain(link);
  });

  test('tells the topic when it rings and when it is over', () => {
    expect(Properties.AlarmActions).toEqual([{ Ref: topic.id }]);
    expect(Properties.OKActions).toEqual([{ Ref: topic.id }]);
  });

  test('looks at no more than ten metrics, all of them ours', () => {
    const looked = (Properties.Metrics ?? []).filter(({ MetricStat }: { MetricStat?: unknown }) => MetricStat);
    expect(looked.length).toBeLessThanOrEqual(10);
    for (const { Metric } of looked.map(({ MetricStat }: { MetricStat: unknown }) => MetricStat))
      expect(Metric.Dimensions?.length).toBeGreaterThan(0);
  });
});

test('a section of the runbook that an alarm rings for says what it means, where to look, and how to fix it', () => {
  const linked = new Set([...alarms.values()].map(({ Properties }) => Properties.AlarmDescription.split('#')[1]));
  const sections = runbook.split(/^## /m).filter((section) => {
    const [heading = ''] = section.split('\n');
    return linked.has(runbookLink(heading).split('#')[1]);
  });
  expect(sections).toHaveLength(linked.size);
  for (const section of sections)
    for (const part of ['**Means.**', '**Look.**', '**Fix.**', '**Fixed when**']) expect(section).toContain(part);
});

test('an alarm links the runbook where -c runbookUrl says that it is read', () => {
  const runbookUrl = 'https://example.org/chat/docs/runbook.md';
  for (const [, { Properties }] of watchOf({ stage: 'prod', runbookUrl }).ofType('AWS::CloudWatch::Alarm'))
    expect(Properties.AlarmDescription).toContain(` What to do: ${runbookUrl}#`);
});

test('whoever is told of alarms is told when costs are above the budget, or will be', () => {
  const budget = (flags: Record<string, string>) =>
    watchOf({ alarmEmail: 'someone@example.org', ...flags }).one('AWS::Budgets::Budget').resource.Properties;
  const { Budget, NotificationsWithSubscribers } = budget({ stage: 'prod' });
  expect(Budget).toEqual({ BudgetType: 'COST', TimeUnit: 'MONTHLY', BudgetLimit: { Amount: 700, Unit: 'USD' } });
  expect(
    NotificationsWithSubscribers.map(({ Notification, Subscribers }: Record<string, object>) => [
      Notification,
      Subscribers,
    ]),
  ).toEqual(
    ['ACTUAL', 'FORECASTED'].map((NotificationType) => [
      expect.objectContaining({ NotificationType, ComparisonOperator: 'GREATER_THAN', Threshold: 100 }),
      [{ SubscriptionType: 'EMAIL', Address: 'someone@example.org' }],
    ]),
  );
  expect(budget({ stage: 'dev' }).Budget.BudgetLimit.Amount).toBe(300);
  expect(budget({ stage: 'dev', monthlyBudget: '50' }).Budget.BudgetLimit.Amount).toBe(50);
  expect(watchOf({ stage: 'prod' }).ofType('AWS::Budgets::Budget')).toEqual([]);
});

test('an alarm rings for a schedule that fails, and for one that does not run', () => {
  for (const id of ['RollUpFails', 'SweepFails', 'PurgeFails'])
    expect(alarm(id)).toMatchObject({ TreatMissingData: 'breaching', ComparisonOperator: 'LessThanThreshold' });
  expect(alarm('ApiErrors')).toMatchObject({ TreatMissingData: 'notBreaching' });
});

test('an alarm rings for search nodes that are missing, also when the only one is', () => {
  expect(alarm('SearchNodes')).toMatchObject({
    MetricName: 'Nodes',
    Threshold: 3,
    ComparisonOperator: 'LessThanThreshold',
    TreatMissingData: 'breaching',
  });
});

test('an alarm rings for credits that are paid for, which an instance that earns credits has', () => {
  expect(alarm('DatabaseCredits')).toMatchObject({ MetricName: 'CPUSurplusCreditsCharged', Threshold: 0 });
  expect(stages.prod.database.instanceType).toMatch(/^t4g/);
});

test('a single slow request among few rings no alarm', () => {
  const [expression] = alarm('ApiLatency').Metrics.filter(({ Expression }: { Expression?: string }) => Expression);
  expect(expression.Expression).toBe('IF(requests >= 100, latency, 0)');
});

test('the roll-up may take as long as there is between two of them', () => {
  const periods = (watch: SynthesizedStack) =>
    watch
      .ofType('AWS::CloudWatch::Alarm')
      .filter(([id]) => idOf(id) === 'RollUpFails')
      .flatMap(([, { Properties }]) =>
        Properties.Metrics.flatMap(({ MetricStat }: { MetricStat?: { Period: number } }) => MetricStat?.Period ?? []),
      );
  expect(periods(prod)).toEqual([300, 300]);
  expect(periods(watchOf({ stage: 'prod', rollupMinutes: '60' }))).toEqual([3_600, 3_600]);
});

describe('the topic', () => {
  test('is encrypted, with a key that CloudWatch may use', () => {
    const key = prod.one('AWS::KMS::Key');
    expect(topic.resource.Properties.KmsMasterKeyId).toEqual({ 'Fn::GetAtt': [key.id, 'Arn'] });
    expect(JSON.stringify(key.resource.Properties.KeyPolicy)).toContain('cloudwatch.amazonaws.com');
    expect(key.resource.Properties.EnableKeyRotation).toBe(true);
  });

  test('takes alarms of this account alone, over TLS alone', () => {
    const { Statement } = prod.one('AWS::SNS::TopicPolicy').resource.Properties.PolicyDocument;
    expect(Statement).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        expect.objectContaining({
          Effect: 'Allow',
          Action: 'sns:Publish',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        }),
      ]),
    );
  });

  test('tells whoever -c alarmEmail names, and nobody without it', () => {
    expect(prod.one('AWS::SNS::Subscription').resource.Properties).toMatchObject({
      Protocol: 'email',
      Endpoint: 'someone@example.org',
    });
    expect(watchOf({ stage: 'prod' }).ofType('AWS::SNS::Subscription')).toEqual([]);
  });
});

describe('the dashboard', () => {
  const body = JSON.stringify(prod.one('AWS::CloudWatch::Dashboard').resource.Properties.DashboardBody);

  test('reads like the flow', () => {
    const steps = [...body.matchAll(/## (\d+) · ([\w -]+)/g)].map(([, number, title]) => `${number} ${title}`);
    const servers = { store: 'MySQL', search: 'OpenSearch' } as Partial<Record<QueueName, string>>;
    const ofQueues = queueNames.flatMap((name) => {
      const title = name.charAt(0).toUpperCase() + name.slice(1);
      return [`${title} queue`, `${title} worker`, ...(servers[name] ? [servers[name]] : [])];
    });
    const titles = ['API', 'Ledger', ...ofQueues, 'Roll-up and schedules'];
    expect(steps).toEqual(titles.map((title, i) => `${i + 1} ${title}`));
    expect(steps.slice(2, 8).join()).toBe(
      '3 Store queue,4 Store worker,5 MySQL,6 Search queue,7 Search worker,8 OpenSearch',
    );
  });

  test('shows every metric that is reported', () => {
    for (const name of Object.keys(metrics)) expect(body).toContain(`\\"ChatSystem\\",\\"${name}\\"`);
  });
});

test('SQL and search that are given are for whoever gives them to look at', () => {
  const ids = watchOf({ stage: 'dev', ...given })
    .ofType('AWS::CloudWatch::Alarm')
    .map(([id]) => idOf(id));
  expect(ids.filter((id) => /Database|Search(?!QueueAge|DeadLetters)/.test(id))).toEqual([]);
  expect(ids).toContain('SearchQueueAge');
});

test('stages do not share metrics: API and functions name theirs', () => {
  const names = ['dev', 'prod'].map((stage) => {
    const { service } = synthesize({ stage });
    const system = service.function('createMessage').environment.SYSTEM_NAME;
    expect(service.one('AWS::ApiGateway::RestApi').resource.Properties.Name).toBe(system);
    return system;
  });
  expect(names).toEqual(['ChatSystem-dev', 'ChatSystem-prod']);
});
