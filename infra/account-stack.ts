import { RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnAccount } from 'aws-cdk-lib/aws-apigateway';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { suppress } from './constructs/suppress.ts';

/**
 * The setting that exists once per account and region: the role with which API Gateway writes logs. Stages cannot have
 * a role of their own, because each stage would overwrite the role of the others. The role and the setting are retained
 * when the stack is deleted, because every API of the account uses them.
 */
export class AccountStack extends Stack {
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, { ...props, description: 'chat-system: account settings' });
    const policy = 'service-role/AmazonAPIGatewayPushToCloudWatchLogs';
    const role = new Role(this, 'ApiGatewayLogs', {
      assumedBy: new ServicePrincipal('apigateway.amazonaws.com'),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName(policy)],
    });
    suppress(role, {
      [`AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${policy}]`]:
        'API Gateway accepts only a role that has all permissions of this AWS managed policy.',
    });
    const account = new CfnAccount(this, 'ApiGateway', { cloudWatchRoleArn: role.roleArn });
    for (const retained of [role, account]) retained.applyRemovalPolicy(RemovalPolicy.RETAIN);
  }
}
