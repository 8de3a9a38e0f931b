import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { everyStage, synthesize } from '../support/infra/synthesis.ts';
import type { Resource, SynthesizedStack } from '../support/infra/synthesized-stack.ts';

const dev = synthesize(everyStage.dev);
const prod = synthesize(everyStage.prod);

/** The types of resources that hold data or the secrets that give access to it. */
const holderTypes = [
  'AWS::DynamoDB::Table',
  'AWS::SQS::Queue',
  'AWS::RDS::DBInstance',
  'AWS::OpenSearchService::Domain',
  'AWS::SecretsManager::Secret',
];
const holders = (stack: SynthesizedStack): [string, Resource][] => holderTypes.flatMap((type) => stack.ofType(type));

describe('the resources that hold data', () => {
  test('the resources that hold data are all in the data stack, which contains nothing that runs code', () => {
    for (const { data, service } of [dev, prod]) {
      expect(holders(data)).toHaveLength(13);
      expect(holders(service)).toEqual([]);
      for (const type of ['Lambda::Function', 'ApiGateway::RestApi', 'Events::Rule', 'Lambda::EventSourceMapping'])
        expect([type, data.ofType(`AWS::${type}`)]).toEqual([type, []]);
    }
  });

  test('the resources that hold data are retained in prod when their stack is deleted and when they are replaced', () => {
    for (const [id, { DeletionPolicy, UpdateReplacePolicy }] of holders(prod.data))
      expect([id, DeletionPolicy, UpdateReplacePolicy]).toEqual([id, 'RetainExceptOnCreate', 'Retain']);
  });

  test('the resources that hold data are protected against deletion in prod', () => {
    expect(prod.stacks.data.terminationProtection).toBe(true);
    const { Properties: table } = prod.data.one('AWS::DynamoDB::Table').resource;
    expect(table.DeletionProtectionEnabled).toBe(true);
    const { Properties: database } = prod.data.one('AWS::RDS::DBInstance').resource;
    expect(database).toMatchObject({ DeletionProtection: true, DeleteAutomatedBackups: false });
  });

  test('the resources that hold data are deleted with their stack in dev', () => {
    expect(dev.stacks.data.terminationProtection).toBe(false);
    for (const [id, { DeletionPolicy }] of holders(dev.data)) expect([id, DeletionPolicy]).toEqual([id, 'Delete']);
  });

  test('the resources that hold data have backups: the ledger can be restored to any point in time, and SQL in prod for two weeks back', () => {
    expect(prod.data.one('AWS::DynamoDB::Table').resource.Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
    });
    expect(prod.data.one('AWS::RDS::DBInstance').resource.Properties.BackupRetentionPeriod).toBe(14);
    expect(dev.data.one('AWS::RDS::DBInstance').resource.Properties.BackupRetentionPeriod).toBeGreaterThan(0);
  });
});

test('the flag warmWrites sets the warm throughput of the table, which is otherwise what AWS gives it', () => {
  const throughput = (stack: SynthesizedStack) => stack.one('AWS::DynamoDB::Table').resource.Properties.WarmThroughput;
  expect(throughput(synthesize({ ...everyStage.prod, warmWrites: '20000' }).data)).toEqual({
    WriteUnitsPerSecond: 20_000,
  });
  expect(throughput(prod.data)).toBeUndefined();
});

test('a custom domain is in the data stack, and leads to the API under the same base path as without a domain', () => {
  const flags = {
    ...everyStage.prod,
    domain: 'chat.example.org',
    certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/0123-4567',
  };
  const { data, service } = synthesize(flags);
  const { id, resource } = data.one('AWS::ApiGateway::DomainName');
  expect(resource.Properties).toMatchObject({
    DomainName: flags.domain,
    RegionalCertificateArn: flags.certificateArn,
    EndpointConfiguration: { Types: ['REGIONAL'] },
    SecurityPolicy: 'TLS_1_2',
  });
  expect(service.one('AWS::ApiGateway::BasePathMapping').resource.Properties).toMatchObject({
    BasePath: 'v1',
    DomainName: { Ref: id },
    RestApiId: { Ref: service.one('AWS::ApiGateway::RestApi').id },
  });
  expect(service.outputs.ApiUrl?.Value).toBe('https://chat.example.org/v1');
  expect(data.outputs.DomainTarget).toBeDefined();
  expect(prod.data.ofType('AWS::ApiGateway::DomainName')).toEqual([]);
});

describe('the service stack', () => {
  test('the service stack can be deleted and deployed again without the data stack, because it uses no export of it', () => {
    for (const { service, data } of [dev, prod]) {
      expect(service.text).not.toContain('Fn::ImportValue');
      expect(Object.values(data.outputs).filter(({ Export }) => Export)).toEqual([]);
      expect(service.text).toContain('Fn::GetStackOutput');
    }
  });

  test('the service stack is deployed with --force in every documented command for an existing stage, because its template does not show that an output has changed', () => {
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

  test('the service stack is deployed after the data and account stacks, and can be deleted without them', () => {
    const { account, data, service } = prod.stacks;
    expect(service.dependencies).toEqual(expect.arrayContaining([account, data]));
    expect(data.dependencies).toEqual([]);
    expect(service.terminationProtection).toBe(false);
  });

  test('the service stack retains no resource when it is deleted, and neither does the monitoring stack', () => {
    // Old versions and API deployments hold no data and cost nothing.
    for (const [id, { DeletionPolicy = 'Delete' }] of Object.entries({
      ...prod.service.resources,
      ...prod.monitoring?.resources,
    }))
      if (!/Version|Deployment/.test(id)) expect([id, DeletionPolicy]).toEqual([id, 'Delete']);
  });
});

test('the documents name every stack of a stage by the name that it is deployed with', () => {
  const docs = ['deploying', 'runbook'].map((name) =>
    readFileSync(path.resolve(import.meta.dirname, `../../docs/${name}.md`), 'utf8'),
  );
  const named = [...docs.join('\n').matchAll(/ChatSystem-(?:prod|<stage>|\$stage)-(\w+)/g)].map(([, suffix]) => suffix);
  const { data, service, monitoring } = prod.stacks;
  const deployed = [data, service, monitoring].map((stack) => stack?.stackName.replace('ChatSystem-prod-', ''));
  expect([...new Set(named)].sort()).toEqual(deployed.sort());
});

test('two stages can be deployed to one account: no resource of them has the same physical name', () => {
  const names = ({ data, service }: typeof dev) =>
    [data, service].flatMap(({ resources }) =>
      Object.values(resources).flatMap(({ Type, Properties }) =>
        ['TableName', 'QueueName', 'FunctionName', 'RoleName', 'DBProxyName', 'LogGroupName', 'DomainName', 'Name']
          // The names of REST APIs need not be unique, and those of namespaces only within their Event API.
          .filter(() => !['AWS::ApiGateway::RestApi', 'AWS::AppSync::ChannelNamespace'].includes(Type))
          .filter((property) => typeof Properties?.[property] === 'string')
          .map((property) => Properties[property]),
      ),
    );
  expect(names(dev).filter((name) => names(prod).includes(name))).toEqual([]);
});
