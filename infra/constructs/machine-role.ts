import { Stack } from 'aws-cdk-lib';
import type { Volume } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import { metricsNamespace } from '../../functions/runtime/observe/metrics.ts';
import { suppress } from './suppress.ts';

interface MachineRoleProps {
  code: Asset;
  volume: Volume;
  /** The allocation id of the Elastic IP address. */
  addressId: string;
  /** The tag of the instance. The ids of instances are not known before they start. */
  tag: { key: string; value: string };
}

/**
 * Returns the role of the instance. It allows the AWS calls of deploy/ec2/set-up.sh, of chat-system-disk.service and of
 * the agent of Session Manager.
 */
export function machineRole(scope: Construct, id: string, { code, volume, addressId, tag }: MachineRoleProps): Role {
  const stack = Stack.of(scope);
  const role = new Role(scope, id, { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
  const arn = (resource: string, resourceName: string) => stack.formatArn({ service: 'ec2', resource, resourceName });
  const allow = (actions: string[], resources: string[], conditions = {}) =>
    role.addToPolicy(new PolicyStatement({ actions, resources, conditions }));

  allow(['s3:GetObject'], [code.bucket.arnForObjects(code.s3ObjectKey)]);
  allow(['ec2:AttachVolume'], [arn('volume', volume.volumeId)]);
  allow(['ec2:AssociateAddress'], [arn('elastic-ip', addressId), arn('network-interface', '*')]);
  allow(['ec2:AttachVolume', 'ec2:AssociateAddress'], [arn('instance', '*')], {
    StringEquals: { [`ec2:ResourceTag/${tag.key}`]: tag.value },
  });
  allow(['cloudformation:SignalResource'], [stack.stackId]);
  allow(['cloudwatch:PutMetricData'], ['*'], { StringEquals: { 'cloudwatch:namespace': metricsNamespace } });
  const channels = ['Create', 'Open'].flatMap((verb) => ['Control', 'Data'].map((kind) => `${verb}${kind}Channel`));
  allow(['ssm:UpdateInstanceInformation', ...channels.map((action) => `ssmmessages:${action}`)], ['*']);

  const ofInstances = 'arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>';
  suppress(role, {
    'AwsSolutions-IAM5[Resource::*]':
      'The actions of Session Manager and of metrics have no resource to name in a policy.',
    [`AwsSolutions-IAM5[Resource::${ofInstances}:instance/*]`]:
      'The id of an instance is not known before it starts. The condition on the tag restricts it to this group.',
    [`AwsSolutions-IAM5[Resource::${ofInstances}:network-interface/*]`]:
      'The id of an interface is not known before the instance starts. Only the address of this machine can be associated with it.',
  });
  return role;
}
