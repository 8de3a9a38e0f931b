import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type QueueName, queueNames } from '../../functions/queues.ts';
import { metrics } from '../../functions/runtime/observe/metrics.ts';
import { stages } from '../../infra/config.ts';
import { runbookLink } from '../../infra/monitoring/alarm.ts';
import { queueResources } from '../../infra/queues.ts';
import { existingServers, synthesize } from '../support/infra/synthesis.ts';
import type { Resource, SynthesizedStack } from '../support/infra/synthesized-stack.ts';

const runbook = readFileSync(path.resolve(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
const headings = [...runbook.matchAll(/^##+ (.*)$/gm)].map(([, heading]) => heading as string);

const monitoringOf = (flags: Record<string, string>): SynthesizedStack =>
  synthesize(flags).monitoring as SynthesizedStack;
const prod = monitoringOf({ stage: 'prod', alarmEmail: 'someone@example.org' });
const idOf = (id: string) => id.replace(/^Alarms/, '').replace(/[0-9A-F]{8}$/, '');
const alarms = new Map(prod.ofType('AWS::CloudWatch::Alarm').map(([id, alarm]) => [idOf(id), alarm]));
const alarm = (id: string) => (alarms.get(id) as Resource).Properties;
const topic = prod.one('AWS::SNS::Topic');

test('every problem that users would notice has an alarm', () => {
  expect([...alarms.keys()].sort()).toEqual(
    [
      ...['ApiErrors', 'ApiLatency', 'ThrottledWrites', 'ThrottledReads', 'ThrottledLists'],
      'LedgerThrottles',
      ...Object.values(queueResources).flatMap((each) => Object.values(each.alarms).map(({ id }) => id)),
      ...['FollowersRefused', 'RollUpFails', 'SweepFails', 'PurgeFails', 'DatabaseConnections', 'DatabaseDisk'],
      ...['DatabaseMemory', 'DatabaseCredits', 'SearchRed', 'SearchWritesBlocked', 'SearchDisk'],
      ...['SearchMemory', 'SearchProcessor', 'SearchNodes', 'SearchSnapshots'],
    ].sort(),
  );
});

describe.each([...alarms])('the alarm %s', (id, { Properties }) => {
  test(`the alarm ${id} describes what breaks for users, and links an existing section of the runbook`, () => {
    const [, description = '', link] =
      /^(.*) What to do: (docs\/runbook\.md#[\w-]+)$/.exec(Properties.AlarmDescription) ?? [];
    expect(description).toMatch(/\b(clients?|writers?|readers?|searche?s?|messages)\b/i);
    expect(description.split(' ').length).toBeGreaterThan(8);
    expect(headings.map((heading) => runbookLink(heading))).toContain(link);
  });

  test(`the alarm ${id} notifies the topic when it fires and when it returns to OK`, () => {
    expect(Properties.AlarmActions).toEqual([{ Ref: topic.id }]);
    expect(Properties.OKActions).toEqual([{ Ref: topic.id }]);
  });

  test(`the alarm ${id} uses at most ten metrics, all of them with dimensions`, () => {
    const used = (Properties.Metrics ?? []).filter(({ MetricStat }: { MetricStat?: unknown }) => MetricStat);
    expect(used.length).toBeLessThanOrEqual(10);
    for (const { Metric } of used.map(({ MetricStat }: { MetricStat: unknown }) => MetricStat))
      expect(Metric.Dimensions?.length).toBeGreaterThan(0);
  });
});

test('every section of the runbook that an alarm links says what the alarm means, where to look, and how to fix the problem', () => {
  const linked = new Set([...alarms.values()].map(({ Properties }) => Properties.AlarmDescription.split('#')[1]));
  const sections = runbook.split(/^## /m).filter((section) => {
    const [heading = ''] = section.split('\n');
    return linked.has(runbookLink(heading).split('#')[1]);
  });
  expect(sections).toHaveLength(linked.size);
  for (const section of sections)
    for (const part of ['**Means.**', '**Look.**', '**Fix.**', '**Fixed when**']) expect(section).toContain(part);
});

test('an alarm links the runbook at the URL of -c runbookUrl', () => {
  const runbookUrl = 'https://example.org/chat/docs/runbook.md';
  for (const [, { Properties }] of monitoringOf({ stage: 'prod', runbookUrl }).ofType('AWS::CloudWatch::Alarm'))
    expect(Properties.AlarmDescription).toContain(` What to do: ${runbookUrl}#`);
});

test('the budget notifies alarmEmail when costs exceed it and when they are forecast to', () => {
  const budget = (flags: Record<string, string>) =>
    monitoringOf({ alarmEmail: 'someone@example.org', ...flags }).one('AWS::Budgets::Budget').resource.Properties;
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
  expect(monitoringOf({ stage: 'prod' }).ofType('AWS::Budgets::Budget')).toEqual([]);
});

test('an alarm fires for a schedule that fails and for one that does not run', () => {
  for (const id of ['RollUpFails', 'SweepFails', 'PurgeFails'])
    expect(alarm(id)).toMatchObject({ TreatMissingData: 'breaching', ComparisonOperator: 'LessThanThreshold' });
  expect(alarm('ApiErrors')).toMatchObject({ TreatMissingData: 'notBreaching' });
});

test('an alarm fires for a missing search node, even if it is the only one', () => {
  expect(alarm('SearchNodes')).toMatchObject({
    MetricName: 'Nodes',
    Threshold: 3,
    ComparisonOperator: 'LessThanThreshold',
    TreatMissingData: 'breaching',
  });
});

test('an alarm fires when CPU credits of a burstable instance are charged', () => {
  expect(alarm('DatabaseCredits')).toMatchObject({ MetricName: 'CPUSurplusCreditsCharged', Threshold: 0 });
  expect(stages.prod.database.instanceType).toMatch(/^t4g/);
});

test('a single slow request among few fires no alarm', () => {
  const [expression] = alarm('ApiLatency').Metrics.filter(({ Expression }: { Expression?: string }) => Expression);
  expect(expression.Expression).toBe('IF(requests >= 100, latency, 0)');
});

test('the alarm of the roll-up uses the interval between two runs as its period', () => {
  const periods = (monitoring: SynthesizedStack) =>
    monitoring
      .ofType('AWS::CloudWatch::Alarm')
      .filter(([id]) => idOf(id) === 'RollUpFails')
      .flatMap(([, { Properties }]) =>
        Properties.Metrics.flatMap(({ MetricStat }: { MetricStat?: { Period: number } }) => MetricStat?.Period ?? []),
      );
  expect(periods(prod)).toEqual([300, 300]);
  expect(periods(monitoringOf({ stage: 'prod', rollupMinutes: '60' }))).toEqual([3_600, 3_600]);
});

describe('the topic', () => {
  test('the topic is encrypted with a key that CloudWatch can use', () => {
    const key = prod.one('AWS::KMS::Key');
    expect(topic.resource.Properties.KmsMasterKeyId).toEqual({ 'Fn::GetAtt': [key.id, 'Arn'] });
    expect(JSON.stringify(key.resource.Properties.KeyPolicy)).toContain('cloudwatch.amazonaws.com');
    expect(key.resource.Properties.EnableKeyRotation).toBe(true);
  });

  test('the topic accepts only alarms of this account, and only over TLS', () => {
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

  test('the topic notifies the address of -c alarmEmail, and nobody without it', () => {
    expect(prod.one('AWS::SNS::Subscription').resource.Properties).toMatchObject({
      Protocol: 'email',
      Endpoint: 'someone@example.org',
    });
    expect(monitoringOf({ stage: 'prod' }).ofType('AWS::SNS::Subscription')).toEqual([]);
  });
});

describe('the dashboard', () => {
  const body = JSON.stringify(prod.one('AWS::CloudWatch::Dashboard').resource.Properties.DashboardBody);

  test('the dashboard shows the columns in the order of the data flow', () => {
    const columns = [...body.matchAll(/## (\d+) · ([\w -]+)/g)].map(([, number, title]) => `${number} ${title}`);
    const servers = { store: 'MySQL', search: 'OpenSearch' } as Partial<Record<QueueName, string>>;
    const ofQueues = queueNames.flatMap((name) => {
      const title = name.charAt(0).toUpperCase() + name.slice(1);
      return [`${title} queue`, `${title} worker`, ...(servers[name] ? [servers[name]] : [])];
    });
    const ofFeed = ['Feed queue', 'Feed worker', 'AppSync Events'];
    const titles = ['API', 'Ledger', ...ofQueues, 'Roll-up and schedules', ...ofFeed];
    expect(columns).toEqual(titles.map((title, i) => `${i + 1} ${title}`));
    expect(columns.slice(2, 8).join()).toBe(
      '3 Store queue,4 Store worker,5 MySQL,6 Search queue,7 Search worker,8 OpenSearch',
    );
  });

  test('the dashboard shows every metric that functions report', () => {
    for (const name of Object.keys(metrics)) expect(body).toContain(`\\"ChatSystem\\",\\"${name}\\"`);
  });
});

test('existing servers have no alarms', () => {
  const ids = monitoringOf({ stage: 'dev', ...existingServers })
    .ofType('AWS::CloudWatch::Alarm')
    .map(([id]) => idOf(id));
  expect(ids.filter((id) => /Database|Search(?!QueueAge|DeadLetters)/.test(id))).toEqual([]);
  expect(ids).toContain('SearchQueueAge');
});

test('API and functions use the name of their stage in metrics, so that stages do not share them', () => {
  const names = ['dev', 'prod'].map((stage) => {
    const { service } = synthesize({ stage });
    const system = service.function('createMessage').environment.SYSTEM_NAME;
    expect(service.one('AWS::ApiGateway::RestApi').resource.Properties.Name).toBe(system);
    return system;
  });
  expect(names).toEqual(['ChatSystem-dev', 'ChatSystem-prod']);
});
