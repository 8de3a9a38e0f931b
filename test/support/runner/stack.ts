import type { TestProject } from 'vitest/node';
import { borrowStack } from '../../../tools/stack/borrow.ts';
import { readDeployment } from '../../../tools/stack/deployment.ts';
import { deployTo } from '../../../tools/stack/up.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The URLs of the stack. Only tests that run on it have them. */
    stack: {
      apiUrl: string;
      awsEndpoint: string;
      /** With the credentials of a user who may create databases, so that each test can have its own. */
      mysqlUrl: string;
      opensearchUrl: string;
    };
  }
}

/**
 * Starts this checkout's stack, as script/stack up does, and provides its URLs to the tests. A stack that was already
 * running is left running afterwards.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { awsEndpoint, mysqlUrl, opensearchUrl, release } = await borrowStack(console.log, (provider) =>
    deployTo(provider, false),
  );
  const deployment = readDeployment();
  if (!deployment) throw new Error('The deployment is not where it was written down.');
  project.provide('stack', { apiUrl: deployment.url, awsEndpoint, mysqlUrl, opensearchUrl });
  return release;
}
