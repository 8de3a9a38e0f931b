import { App } from 'aws-cdk-lib';
import * as z from 'zod';
import { GithubRoles } from './github-roles.ts';

// An app of its own: it is deployed once, by hand (docs/deploying.md).

const flags = z.object({
  repository: z
    .string('is missing: the owner and name of the repository, as the subject of its tokens has them')
    .regex(/^[\w.-]+(@\d+)?\/[\w.-]+(@\d+)?$/, 'is not like owner/name or owner@123/name@456'),
  stages: z
    .string()
    .default('dev,prod')
    .transform((names) => names.split(',')),
  provider: z.literal('exists', 'is not "exists"').optional(),
});

const app = new App({ analyticsReporting: false });
const read = flags.safeParse(
  Object.fromEntries(Object.keys(flags.shape).map((flag) => [flag, app.node.tryGetContext(flag)])),
);
if (read.success) {
  const { repository, stages, provider } = read.data;
  new GithubRoles(app, 'ChatSystem-GitHub', { repository, stages, providerExists: provider === 'exists' });
} else {
  for (const { path, message } of read.error.issues) console.error(`-c ${path.join('.')}: ${message}`);
  process.exitCode = 1;
}
