import { expect, test } from 'vitest';
import { metrics } from '../../functions/runtime/observe/metrics.ts';
import { stages } from '../../infra/config.ts';
import { readResults } from '../../tools/bench/results.ts';
import { inputsFrom } from '../../tools/cost/inputs.ts';
import { type Floor, floors, monthlyFloor } from '../../tools/cost/money.ts';
import { readPrices } from '../../tools/cost/prices.ts';
import { usual } from '../../tools/cost/quantities.ts';
import { synthesize } from '../support/infra/synthesis.ts';

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
      // An alarm on a math expression lists its metrics, each with a statistic, and the expression itself.
      alarmMetrics: alarms.reduce(
        (sum, [, { Properties }]) => sum + (JSON.stringify(Properties.Metrics)?.match(/"MetricStat"/g)?.length ?? 1),
        0,
      ),
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

test.each(Object.keys(floors) as (keyof typeof floors)[])(
  'the budget of stage %s is above its cost without traffic',
  (stage) => {
    const floor = Object.values(monthlyFloor(floors[stage], inputsFrom(readResults()).inputs, readPrices().prices));
    // At least 25 % above, so that a month with little traffic does not exceed it.
    expect(stages[stage].monthlyBudget).toBeGreaterThan(1.25 * floor.reduce((sum, each) => sum + each, 0));
  },
);
