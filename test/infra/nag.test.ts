import { App, Stack, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { type StageName, stages } from '../../infra/config.ts';
import { GithubRoles } from '../../infra/github-roles.ts';
import { synthesizeSingle } from '../support/infra/single-synthesis.ts';
import { everyStage, synthesize } from '../support/infra/synthesis.ts';

/** Returns the findings of cdk-nag's AWS Solutions rules that are not suppressed, each with its construct path. */
const findings = (scope: IConstruct): string[] =>
  new AwsSolutionsChecks(scope.node.root)
    .validateScope(scope)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName}: ${constructPath}`),
    );

/** Returns the ids of the suppressed findings in the scope, each with its reason. */
const suppressedIn = (scope: IConstruct): [string, string][] =>
  scope.node
    .findAll()
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.entries(data as Record<string, string>))
    .filter(([id]) => id.includes('AwsSolutions-'));

describe.each(Object.keys(stages) as StageName[])('stage %s', (name) => {
  const { stacks } = synthesize(everyStage[name]);

  test.each(Object.keys(stacks) as (keyof typeof stacks)[])(
    `cdk-nag finds nothing in the %s stack of stage ${name}`,
    (stack) => {
      expect(findings(stacks[stack] as IConstruct)).toEqual([]);
    },
  );

  test(`every suppression in stage ${name} has a reason`, () => {
    const reasons = (Object.values(stacks) as IConstruct[]).flatMap(suppressedIn);
    expect(reasons.length).toBeGreaterThan(5);
    for (const [id, reason] of reasons) expect([id, reason.split(' ').length > 5]).toEqual([id, true]);
  });
});

test('cdk-nag finds nothing in the stack of stage single, and every suppression has a reason', () => {
  const { stack } = synthesizeSingle({ alarmEmail: 'someone@example.org' });
  expect(findings(stack)).toEqual([]);
  const reasons = suppressedIn(stack);
  expect(reasons.length).toBeGreaterThan(5);
  for (const [id, reason] of reasons) expect([id, reason.split(' ').length > 5]).toEqual([id, true]);
});

test('cdk-nag finds nothing in the stack of the GitHub roles', () => {
  const app = new App({ analyticsReporting: false });
  const props = { repository: 'acme/chat', stages: ['dev', 'prod'], providerExists: false };
  expect(findings(new GithubRoles(app, 'Test', props))).toEqual([]);
});

test('cdk-nag is active: it finds a bucket that does not require TLS', () => {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Test');
  new Bucket(stack, 'Bucket');
  expect(findings(stack)).toContain('AwsSolutions-S10: Test/Bucket/Resource');
});
