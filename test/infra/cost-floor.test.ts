import { expect, test } from 'vitest';
import { metrics, metricsNamespace } from '../../functions/runtime/observe/metrics.ts';
import { stages } from '../../infra/config.ts';
import { readSingleFlags } from '../../infra/single-flags.ts';
import { readResults } from '../../tools/bench/results.ts';
import { inputsFrom } from '../../tools/cost/inputs.ts';
import { type Floor, floors, monthlyFloor } from '../../tools/cost/money.ts';
import { readPrices } from '../../tools/cost/prices.ts';
import { usual } from '../../tools/cost/quantities.ts';
import { monthlySingle, type SingleFloor, singleFloor } from '../../tools/cost/single.ts';
import { synthesizeSingle } from '../support/infra/single-synthesis.ts';
import { synthesize } from '../support/infra/synthesis.ts';
import type { Resource } from '../support/infra/synthesized-stack.ts';

/** Returns how many metrics an alarm watches. One on a math expression lists its metrics, each with a statistic. */
const metricsOf = ({ Properties }: Resource): number =>
  JSON.stringify(Properties.Metrics)?.match(/"MetricStat"/g)?.length ?? 1;

test.each(Object.keys(floors) as (keyof typeof floors)[])(
  'the cost model of stage %s counts what is deployed',
  (stage) => {
    const { data: stack, service, monitoring } = synthesize({ stage });
    const alarms = monitoring?.ofType('AWS::CloudWatch::Alarm') ?? [];
    const database = stack.one('AWS::RDS::DBInstance').resource.Properties;
    const domain = stack.one('AWS::OpenSearchService::Domain').resource.Properties;
    const endpoints = stack
      .ofType('AWS::EC2::VPCEndpoint')
      .filter(([, { Properties }]) => Properties.VpcEndpointType === 'Interface');
    expect({
      databases: database.MultiAZ ? 2 : 1,
      databaseGb: Number(database.AllocatedStorage),
      searchNodes: domain.ClusterConfig.InstanceCount,
      searchNodeGb: domain.EBSOptions.VolumeSize,
      endpoints: endpoints.reduce((sum, [, { Properties }]) => sum + Properties.SubnetIds.length, 0),
      // The admin key, the system secret, the SQL users of reads and workers, and the password of the owner, kept by RDS.
      secrets: stack.ofType('AWS::SecretsManager::Secret').length + (database.ManageMasterUserPassword ? 1 : 0),
      proxies: stack.ofType('AWS::RDS::DBProxy').length,
      polledQueues: service.ofType('AWS::Lambda::EventSourceMapping').length,
      schedules: service.ofType('AWS::Events::Rule').length,
      metrics: Object.keys(metrics).length,
      alarmMetrics: alarms.reduce((sum, [, alarm]) => sum + metricsOf(alarm), 0),
      keys: monitoring?.ofType('AWS::KMS::Key').length ?? 0,
    } satisfies Floor).toEqual(floors[stage]);
    // The prices are those of these types.
    expect([database.DBInstanceClass, database.StorageType]).toEqual(['db.t4g.medium', 'gp3']);
    expect([domain.ClusterConfig.InstanceType, domain.EBSOptions.VolumeType]).toEqual(['m7g.large.search', 'gp3']);
    expect(domain.ClusterConfig.DedicatedMasterEnabled).toBe(false);
    expect(stack.ofType('AWS::EC2::NatGateway')).toEqual([]);
    expect(service.function('createMessage').properties.Architectures).toEqual(['arm64']);
    expect(usual.architecture).toBe('Arm');
  },
);

test('the cost model of stage single counts what is deployed', () => {
  const { template } = synthesizeSingle();
  const launch = template.one('AWS::EC2::LaunchTemplate').resource.Properties.LaunchTemplateData;
  const volume = template.one('AWS::EC2::Volume').resource.Properties;
  const alarms = template.ofType('AWS::CloudWatch::Alarm');
  const [{ Ebs: root }] = launch.BlockDeviceMappings;
  const check = template.one('AWS::Lambda::Function').resource.Properties;
  expect({
    instances: Number(template.one('AWS::AutoScaling::AutoScalingGroup').resource.Properties.MaxSize),
    rootGb: root.VolumeSize,
    dataGb: volume.Size,
    addresses: template.ofType('AWS::EC2::EIP').length,
    checks: template.ofType('AWS::Events::Rule').length,
    checkMb: check.MemorySize,
    metrics: alarms.filter(([, { Properties }]) => Properties.Namespace === metricsNamespace).length,
    alarmMetrics: alarms.reduce((sum, [, alarm]) => sum + metricsOf(alarm), 0),
    keys: template.ofType('AWS::KMS::Key').length,
  } satisfies SingleFloor).toEqual(singleFloor);
  // The prices are those of these types.
  expect([launch.InstanceType, root.VolumeType, volume.VolumeType]).toEqual(['t4g.small', 'gp3', 'gp3']);
  expect([launch.Monitoring, check.Architectures]).toEqual([undefined, ['arm64']]);
  // Resources that cost money in other stages.
  const others = ['AWS::SecretsManager::Secret', 'AWS::EC2::NatGateway', 'AWS::EC2::VPCEndpoint', 'AWS::EC2::FlowLog'];
  expect(others.flatMap((type) => template.ofType(type))).toEqual([]);
});

test('the budget of stage single is above its cost', () => {
  const all = Object.values(monthlySingle(singleFloor, inputsFrom(readResults()).inputs, readPrices().prices));
  const { monthlyBudget } = readSingleFlags({ stage: 'single', domain: 'chat.example.org' });
  expect(monthlyBudget).toBeGreaterThan(1.25 * all.reduce((sum, each) => sum + each, 0));
});

test.each(Object.keys(floors) as (keyof typeof floors)[])(
  'the budget of stage %s is above its cost without traffic',
  (stage) => {
    const floor = Object.values(monthlyFloor(floors[stage], inputsFrom(readResults()).inputs, readPrices().prices));
    // At least 25 % above, so that a month with little traffic does not exceed it.
    expect(stages[stage].monthlyBudget).toBeGreaterThan(1.25 * floor.reduce((sum, each) => sum + each, 0));
  },
);
