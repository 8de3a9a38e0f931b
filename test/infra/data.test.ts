import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { everyStage, synthesize } from '../support/synthesis.ts';
import type { Resource, SynthesizedStack } from '../support/synthesized-stack.ts';

const dev = synthesize(everyStage.dev);
const prod = synthesize(everyStage.prod);

/** What holds data, and what opens it. */
const kept = [
  'AWS::DynamoDB::Table',
  'AWS::SQS::Queue',
  'AWS::RDS::DBInstance',
  'AWS::OpenSearchService::Domain',
  'AWS::SecretsManager::Secret',
];
const holders = (stack: SynthesizedStack): [string, Resource][] => kept.flatMap((type) => stack.ofType(type));

describe('what is kept', () => {
  test('is all in the data stack, and nothing that runs is', () => {
    for (const { data, service } of [dev, prod]) {
      expect(holders(data)).toHaveLength(11);
      expect(holders(service)).toEqual([]);
      for (const type of ['Lambda::Function', 'ApiGateway::RestApi', 'Events::Rule', 'Lambda::EventSourceMapping'])
        expect([type, data.ofType(`AWS::${type}`)]).toEqual([type, []]);
    }
  });

  test('outlives its stack in prod, when that goes and when a resource is replaced', () => {
    for (const [id, { DeletionPolicy, UpdateReplacePolicy }] of holders(prod.data))
      expect([id, DeletionPolicy, UpdateReplacePolicy]).toEqual([id, 'RetainExceptOnCreate', 'Retain']);
  });

  test('is not deleted by mistake in prod', () => {
    expect(prod.stacks.data.terminationProtection).toBe(true);
    const { Properties: table } = prod.data.one('AWS::DynamoDB::Table').resource;
    expect(table.DeletionProtectionEnabled).toBe(true);
    const { Properties: database } = prod.data.one('AWS::RDS::DBInstance').resource;
    expect(database).toMatchObject({ DeletionProtection: true, DeleteAutomatedBackups: false });
  });

  test('goes with its stack in dev', () => {
    expect(dev.stacks.data.terminationProtection).toBe(false);
    for (const [id, { DeletionPolicy }] of holders(dev.data)) expect([id, DeletionPolicy]).toEqual([id, 'Delete']);
  });

  test('can be set back: the ledger to any moment, SQL for two weeks in prod', () => {
    expect(prod.data.one('AWS::DynamoDB::Table').resource.Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
    });
    expect(prod.data.one('AWS::RDS::DBInstance').resource.Properties.BackupRetentionPeriod).toBe(14);
    expect(dev.data.one('AWS::RDS::DBInstance').resource.Properties.BackupRetentionPeriod).toBeGreaterThan(0);
  });
});

describe('the service stack', () => {
  test('can go and come back without the data stack: it holds no export of it', () => {
    for (const { service, data } of [dev, prod]) {
      expect(service.text).not.toContain('Fn::ImportValue');
      expect(Object.values(data.outputs).filter(({ Export }) => Export)).toEqual([]);
      expect(service.text).toContain('Fn::GetStackOutput');
    }
  });

  test('is deployed with --force wherever it exists already: its template does not show that an output changed', () => {
    const read = (file: string) => readFileSync(path.resolve(import.meta.dirname, '../..', file), 'utf8');
    const commands = (file: string) =>
      (read(file).match(/\bcdk\s+deploy\b[^`#]*?(?:ChatSystem-\S+-Service|--all)[^`#\n]*/g) ?? []).map((command) =>
        command.replace(/\s+/g, ' '),
      );
    const first = 'cdk deploy --all -c stage=dev';
    const files = ['.github/workflows/deploy-stage.yml', ...['deploying', 'runbook'].map((name) => `docs/${name}.md`)];
    for (const file of files) expect([file, commands(file).length > 0]).toEqual([file, true]);
    for (const command of files.flatMap(commands).filter((each) => each.trim() !== first))
      expect(command).toContain('--force');
  });

  test('is deployed after the data stack and what its account needs, and goes without them', () => {
    const { account, data, service } = prod.stacks;
    expect(service.dependencies).toEqual(expect.arrayContaining([account, data]));
    expect(data.dependencies).toEqual([]);
    expect(service.terminationProtection).toBe(false);
  });

  test('leaves nothing behind, nor does what watches it', () => {
    // An old version of the API’s deployment is no data, and costs nothing.
    for (const [id, { DeletionPolicy = 'Delete' }] of Object.entries({
      ...prod.service.resources,
      ...prod.watch?.resources,
    }))
      if (!/Version|Deployment/.test(id)) expect([id, DeletionPolicy]).toEqual([id, 'Delete']);
  });
});

test('the stacks of two stages stand side by side: nothing in them has a name that both would want', () => {
  const names = ({ data, service }: typeof dev) =>
    [data, service].flatMap(({ resources }) =>
      Object.values(resources).flatMap(({ Type, Properties }) =>
        ['TableName', 'QueueName', 'FunctionName', 'RoleName', 'DBProxyName', 'LogGroupName', 'DomainName', 'Name']
          .filter((property) => typeof Properties?.[property] === 'string' && Type !== 'AWS::ApiGateway::RestApi')
          .map((property) => Properties[property]),
      ),
    );
  expect(names(dev).filter((name) => names(prod).includes(name))).toEqual([]);
});
