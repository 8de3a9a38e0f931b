import { CfnLifecyclePolicy } from 'aws-cdk-lib/aws-dlm';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { suppress } from './suppress.ts';

/**
 * How many daily snapshots are kept. Each contains the backups of two weeks, so older data is in them too. A week is the
 * time to notice that the volume is lost or damaged.
 */
const kept = 7;

/** Snapshots of the volumes that have a tag, every day after the nightly backup. */
export class DailySnapshots extends Construct {
  constructor(scope: Construct, id: string, tag: { key: string; value: string }) {
    super(scope, id);
    const policy = 'service-role/AWSDataLifecycleManagerServiceRole';
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('dlm.amazonaws.com'),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName(policy)],
    });
    suppress(role, {
      [`AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${policy}]`]:
        'AWS maintains this policy for Data Lifecycle Manager, which alone can assume the role.',
    });
    new CfnLifecyclePolicy(this, 'Policy', {
      // DLM allows no colon here.
      description: 'Daily snapshots of the data volume of chat-system',
      state: 'ENABLED',
      executionRoleArn: role.roleArn,
      policyDetails: {
        resourceTypes: ['VOLUME'],
        targetTags: [tag],
        schedules: [
          {
            name: 'daily',
            // The nightly backup starts between 03:00 and 03:30 UTC.
            createRule: { interval: 24, intervalUnit: 'HOURS', times: ['05:00'] },
            retainRule: { count: kept },
            copyTags: true,
          },
        ],
      },
    });
  }
}
