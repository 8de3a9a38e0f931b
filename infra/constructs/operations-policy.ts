import { CfnOutput } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyDocument } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

/** A part of the system that script/ops works on. */
interface Operated {
  /** Lets an operator use script/ops on this part. */
  allowOperations(operator: ManagedPolicy): void;
}

/**
 * The managed policy for the role or user that runs `script/ops --aws` (docs/operations.md). The stack attaches it to
 * nobody. test/aws/permissions.test.ts compares it with the calls that the commands make.
 */
export class OperationsPolicy extends Construct {
  constructor(scope: Construct, id: string, operated: Operated[]) {
    super(scope, id);
    const policy = new ManagedPolicy(this, 'Policy', {
      description: 'chat-system: lets an operator run script/ops',
      // Merges statements, because a managed policy has at most 6,144 characters.
      document: new PolicyDocument({ minimize: true }),
    });
    for (const part of operated) part.allowOperations(policy);
    new CfnOutput(this, 'Arn', {
      key: 'OperationsPolicy',
      value: policy.managedPolicyArn,
      description: 'Managed policy of operators, who run script/ops',
    });
  }
}
