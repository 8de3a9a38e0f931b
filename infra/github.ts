import { App } from 'aws-cdk-lib';
import * as z from 'zod';
import { invalidFlag, unknownFlags } from './context.ts';
import { GithubRoles } from './github-roles.ts';

// A separate CDK app, because it is deployed once and by hand (docs/deploying.md).

const flags = z.object({
  repository: z
    .string('is missing; pass the name of the repository as in `sub` of its OIDC tokens, such as owner/name')
    .regex(/^[\w.-]+(@\d+)?\/[\w.-]+(@\d+)?$/, 'is not owner/name or owner@123/name@456'),
  stages: z
    .string()
    .default('dev,prod')
    .transform((names) => names.split(',')),
  provider: z.literal('exists', 'is not "exists"').optional(),
});

const app = new App({ analyticsReporting: false });
const context: Record<string, unknown> = app.node.getAllContext();
const read = flags.safeParse(context);
const problems = [...unknownFlags(context, Object.keys(flags.shape)), ...(read.error?.issues ?? []).map(invalidFlag)];
if (read.success && problems.length === 0) {
  const { repository, stages, provider } = read.data;
  new GithubRoles(app, 'ChatSystem-GitHub', { repository, stages, providerExists: provider === 'exists' });
} else {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
