import { expect, test } from 'vitest';
import { metrics } from '../../functions/runtime/observe/metrics.ts';
import { stages } from '../../infra/config.ts';
import { readResults } from '../../tools/bench/results.ts';
import { inputsFrom } from '../../tools/cost/measured.ts';
import { type Floor, floorOf, floors } from '../../tools/cost/money.ts';
import { readPrices } from '../../tools/cost/prices.ts';
import { usual } from '../../tools/cost/quantities.ts';
import { synthesize } from '../support/synthesis.ts';

test.each(Object.keys(floors) as (keyof typeof floors)[])('the bill of stage %s is for what is deployed', (stage) => {
  const { data: stack, service, watch } = synthesize({ stage });
  const alarms = watch?.ofType('AWS::CloudWatch::Alarm') ?? [];
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
    // The admin key, the system secret, the readers' and the workers' SQL user, and the owner's password, which RDS keeps.
    secrets: stack.ofType('AWS::SecretsManager::Secret').length + (database.ManageMasterUserPassword ? 1 : 0),
    proxies: stack.ofType('AWS::RDS::DBProxy').length,
    feeds: service.ofType('AWS::Lambda::EventSourceMapping').length,
    schedules: service.ofType('AWS::Events::Rule').length,
    metrics: Object.keys(metrics).length,
    // One that does arithmetic lists the metrics, each with its statistic, and the arithmetic.
    alarmMetrics: alarms.reduce(
      (sum, [, { Properties }]) => sum + (JSON.stringify(Properties.Metrics)?.match(/"MetricStat"/g)?.length ?? 1),
      0,
    ),
    keys: watch?.ofType('AWS::KMS::Key').length ?? 0,
  } satisfies Floor).toEqual(floors[stage]);
  // What the prices are of.
  expect([database.DBInstanceClass, database.StorageType]).toEqual(['db.t4g.medium', 'gp3']);
  expect([domain.ClusterConfig.InstanceType, domain.EBSOptions.VolumeType]).toEqual(['m7g.large.search', 'gp3']);
  expect(domain.ClusterConfig.DedicatedMasterEnabled).toBe(false);
  expect(stack.ofType('AWS::EC2::NatGateway')).toEqual([]);
  expect(service.function('createMessage').properties.Architectures).toEqual(['arm64']);
  expect(usual.architecture).toBe('Arm');
});

test.each(Object.keys(floors) as (keyof typeof floors)[])(
  'the budget of stage %s is above what it costs empty',
  (stage) => {
    const floor = Object.values(floorOf(floors[stage], inputsFrom(readResults()).inputs, readPrices().prices));
    // A quarter more, so that it does not tell of a month with little use.
    expect(stages[stage].monthlyBudget).toBeGreaterThan(1.25 * floor.reduce((sum, each) => sum + each, 0));
  },
);
