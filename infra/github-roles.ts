import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { OidcProviderNative, OpenIdConnectPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { suppress } from './constructs/suppress.ts';

const issuer = 'token.actions.githubusercontent.com';

interface GithubRolesProps {
  /** The repository as its OIDC tokens name it in `sub`: `owner/name`, or `owner@id/name@id` for newer repositories. */
  repository: string;
  /** The names of the stages, which are also the names of the GitHub environments. */
  stages: string[];
  /** Whether the account already has an identity provider for GitHub. An account can have only one per issuer. */
  providerExists: boolean;
}

/**
 * The roles with which .github/workflows/deploy-stage.yml deploys, one per stage. Only a job of that workflow, in this
 * repository and in the environment of the stage, can assume the role. The role can only assume the roles that
 * `cdk bootstrap` created.
 */
export class GithubRoles extends Stack {
  constructor(scope: Construct, id: string, { repository, stages, providerExists }: GithubRolesProps) {
    // The claim `job_workflow_ref` has names without ids, even if the subject has ids.
    const workflow = `${repository.replace(/@\d+/g, '')}/.github/workflows/deploy-stage.yml`;
    super(scope, id, { description: 'chat-system: roles with which GitHub Actions deploys' });
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
        // Equal to the timeout of the job that deploys.
        maxSessionDuration: Duration.hours(4),
        assumedBy: new OpenIdConnectPrincipal(provider, {
          StringEquals: {
            [`${issuer}:aud`]: 'sts.amazonaws.com',
            [`${issuer}:sub`]: `repo:${repository}:environment:${stage}`,
          },
          // Only the branch and the tags that are deployed.
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
      suppress(role, {
        'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iam::<AWS::AccountId>:role/cdk-hnb659fds-*]':
          'cdk bootstrap creates five roles with this prefix in each region, and deployments need them.',
      });
      new CfnOutput(this, `Role-${stage}`, {
        value: role.roleArn,
        description: `Value of AWS_DEPLOY_ROLE for stage ${stage}`,
      });
    }
  }
}
