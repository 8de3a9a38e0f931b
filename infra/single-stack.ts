import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { MathExpression, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { metricsNamespace } from '../functions/runtime/observe/metrics.ts';
import { singleStage } from './config.ts';
import { AlarmTopic } from './constructs/alarm-topic.ts';
import { Alarms } from './constructs/alarms.ts';
import { Budget } from './constructs/budget.ts';
import { DailySnapshots } from './constructs/daily-snapshots.ts';
import { HealthCheck } from './constructs/health-check.ts';
import { Machine } from './constructs/machine.ts';
import type { AlarmSpec } from './monitoring/alarm.ts';
import type { SingleDeployment } from './single-flags.ts';

interface SingleStackProps extends StackProps {
  deployment: SingleDeployment;
}

/** Stage single: the embedded engine on one EC2 instance, as docs/one-machine.md describes it. */
export class SingleStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, ...props }: SingleStackProps) {
    const { domain, zone, dataGb, snapshot, alarmEmail, monthlyBudget, runbookUrl: runbook } = deployment;
    super(scope, id, { ...props, description: 'chat-system: one machine', terminationProtection: true });
    const tag = { key: 'chat-system', value: singleStage };
    const machine = new Machine(this, 'Machine', { domain, zone, dataGb, snapshot, tag });
    new DailySnapshots(this, 'Snapshots', tag);
    const url = `https://${domain}/v1`;
    const check = new HealthCheck(this, 'HealthCheck', `${url}/health`);
    const { topic } = new AlarmTopic(this, 'Topic', alarmEmail);
    new Alarms(this, 'Alarms', { specs: alarmsOf(machine, check), topic, runbook });
    if (alarmEmail) new Budget(this, 'Budget', { monthly: monthlyBudget, email: alarmEmail });
    new CfnOutput(this, 'ApiUrl', { value: url, description: 'Base URL of the API' });
    new CfnOutput(this, 'AddressOutput', {
      key: 'Address',
      value: machine.address,
      description: 'Value of the A record of the domain',
    });
  }
}

/** Returns the alarms. Each has a section in docs/runbook.md. */
function alarmsOf({ group }: Machine, { function: check }: HealthCheck): AlarmSpec[] {
  const period = Duration.minutes(1);
  return [
    {
      id: 'Unreachable',
      description: 'Clients cannot reach the API: for five minutes, no health check succeeded.',
      section: 'The machine does not respond',
      // Counting successes also catches a check that does not run at all.
      metric: new MathExpression({
        expression: 'runs - FILL(errors, 0)',
        usingMetrics: { runs: check.metricInvocations({ period }), errors: check.metricErrors({ period }) },
        period,
        label: 'successful checks',
      }),
      below: 1,
      periods: { bad: 5, of: 5 },
      missing: TreatMissingData.BREACHING,
    },
    {
      id: 'DataVolume',
      description:
        'Clients will soon be unable to write: the data volume is more than 80 % full, or the machine has not reported it for two hours.',
      section: 'The data volume is nearly full',
      // deploy/ec2/chat-system-disk.service reports it every hour.
      metric: new Metric({
        namespace: metricsNamespace,
        metricName: 'dataVolumeUsed',
        dimensionsMap: { service: `ChatSystem-${singleStage}` },
        period: Duration.hours(1),
        statistic: 'Maximum',
      }),
      above: 80,
      periods: { bad: 2, of: 2 },
      missing: TreatMissingData.BREACHING,
    },
    {
      id: 'CpuCredits',
      description:
        'Clients notice nothing, but the bill grows: for a day, the machine has used more CPU time than its instance type includes.',
      section: 'The machine uses more processor time than it earns',
      metric: new Metric({
        namespace: 'AWS/EC2',
        metricName: 'CPUSurplusCreditsCharged',
        dimensionsMap: { AutoScalingGroupName: group.autoScalingGroupName },
        // AWS reports credits every five minutes.
        period: Duration.minutes(5),
        statistic: 'Maximum',
      }),
      above: 0,
      periods: { bad: 3, of: 3 },
    },
  ];
}
