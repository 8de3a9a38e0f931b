import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { GithubRoles } from '../../infra/github-roles.ts';

const props = { repository: 'acme@1/chat@2', stages: ['dev', 'prod'], providerExists: false };
const synthesize = (more: Partial<typeof props> = {}) =>
  Template.fromStack(new GithubRoles(new App({ analyticsReporting: false }), 'Test', { ...props, ...more }));
const issuer = 'token.actions.githubusercontent.com';

test.each(props.stages)(
  'the role of %s can only be assumed by a job of the deploying workflow, in this repository and in the environment of that name',
  (stage) => {
    const roles = Object.values(
      synthesize().findResources('AWS::IAM::Role', { Properties: { RoleName: `chat-system-deploys-${stage}` } }),
    );
    expect(roles.map(({ Properties }) => Properties.AssumeRolePolicyDocument.Statement)).toEqual([
      [
        {
          Action: 'sts:AssumeRoleWithWebIdentity',
          Effect: 'Allow',
          Principal: { Federated: expect.anything() },
          Condition: {
            StringEquals: {
              [`${issuer}:aud`]: 'sts.amazonaws.com',
              [`${issuer}:sub`]: `repo:acme@1/chat@2:environment:${stage}`,
            },
            StringLike: {
              [`${issuer}:job_workflow_ref`]: [
                'acme/chat/.github/workflows/deploy-stage.yml@refs/heads/main',
                'acme/chat/.github/workflows/deploy-stage.yml@refs/tags/*',
              ],
            },
          },
        },
      ],
    ]);
  },
);

test('a role can assume the roles that cdk bootstrap created, and nothing else', () => {
  const policies = Object.values(synthesize().findResources('AWS::IAM::Policy'));
  expect(policies).toHaveLength(props.stages.length);
  for (const { Properties } of policies)
    expect(Properties.PolicyDocument.Statement).toEqual([
      {
        Action: 'sts:AssumeRole',
        Effect: 'Allow',
        Resource: { 'Fn::Join': ['', expect.arrayContaining([':role/cdk-hnb659fds-*'])] },
      },
    ]);
});

test('a job that deploys has credentials for its whole timeout of four hours', () => {
  const file = path.resolve(import.meta.dirname, '../../.github/workflows/deploy-stage.yml');
  const { steps, 'timeout-minutes': minutes } = parse(readFileSync(file, 'utf8')).jobs.deploy;
  expect(minutes).toBe(240);
  const credentials = steps.find(({ uses }: { uses?: string }) =>
    uses?.startsWith('aws-actions/configure-aws-credentials@'),
  );
  expect(credentials.with['role-duration-seconds']).toBe(minutes * 60);
  for (const { Properties } of Object.values(synthesize().findResources('AWS::IAM::Role')))
    expect(Properties.MaxSessionDuration).toBe(minutes * 60);
});

test('an account that already has an identity provider for GitHub gets only the roles', () => {
  synthesize().resourceCountIs('AWS::IAM::OIDCProvider', 1);
  synthesize({ providerExists: true }).resourceCountIs('AWS::IAM::OIDCProvider', 0);
});
