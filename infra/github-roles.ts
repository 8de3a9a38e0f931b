import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { OidcProviderNative, OpenIdConnectPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { accept } from './constructs/suppress.ts';

const issuer = 'token.actions.githubusercontent.com';

interface GithubRolesProps {
  /** `owner/name`, as the subject of the repository's tokens has it: newer ones are `owner@id/name@id`. */
  repository: string;
  /** Each is the name of an environment, too. */
  stages: string[];
  /** Whether the account knows GitHub's tokens already; an account knows an issuer once. */
  providerExists: boolean;
}

/**
 * The roles with which .github/workflows/deploy-stage.yml deploys, one a stage: for a job of that workflow of this repository
 * in the environment of that name, and for no other. They can only take the roles that `cdk bootstrap` made.
 */
export class GithubRoles extends Stack {
  constructor(scope: Construct, id: string, { repository, stages, providerExists }: GithubRolesProps) {
    // This claim has names alone, whatever the subject has.
    const workflow = `${repository.replace(/@\d+/g, '')}/.github/workflows/deploy-stage.yml`;
    super(scope, id, { description: 'chat-system: how GitHub deploys it' });
    const provider = providerExists
      ? OidcProviderNative.fromOidcProviderArn(
          this,
          'Github',
          this.formatArn({ service: 'iam', region: '', resource: 'oidc-provider', resourceName: issuer }),
        )
      : new OidcProviderNative(this, 'Github', { url: `https://${issuer}`, clientIds: ['sts.amazonaws.com'] });
    for (const stage of stages) {
      const role = new Role(this, `Deploys-${stage}`, {
        roleName: `chat-system-deploys-${stage}`,
        // As long as the job that deploys may take.
        maxSessionDuration: Duration.hours(4),
        assumedBy: new OpenIdConnectPrincipal(provider, {
          StringEquals: {
            [`${issuer}:aud`]: 'sts.amazonaws.com',
            [`${issuer}:sub`]: `repo:${repository}:environment:${stage}`,
          },
          // Of the branch and the tags that are deployed.
          StringLike: {
            [`${issuer}:job_workflow_ref`]: [`${workflow}@refs/heads/main`, `${workflow}@refs/tags/*`],
          },
        }),
      });
      role.addToPolicy(
        new PolicyStatement({
          actions: ['sts:AssumeRole'],
          resources: [
            this.formatArn({ service: 'iam', region: '', resource: 'role', resourceName: 'cdk-hnb659fds-*' }),
          ],
        }),
      );
      accept(role, {
        'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iam::<AWS::AccountId>:role/cdk-hnb659fds-*]':
          'The bootstrap made five roles of this name for those who deploy, one of them in each region.',
      });
      new CfnOutput(this, `Role-${stage}`, { value: role.roleArn, description: `AWS_DEPLOY_ROLE of ${stage}` });
    }
  }
}
