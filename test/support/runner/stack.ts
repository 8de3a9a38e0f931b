import type { TestProject } from 'vitest/node';
import { borrowStack } from '../../../tools/stack/borrow.ts';
import { readDeployment } from '../../../tools/stack/deployment.ts';
import { deployTo } from '../../../tools/stack/up.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the stack is; only the tests that run on it are told. */
    stack: {
      apiUrl: string;
      awsEndpoint: string;
      /** Of a user who may make databases, so that each test has one of its own. */
      mysqlUrl: string;
      opensearchUrl: string;
    };
  }
}

/**
 * Brings up this checkout's stack, as script/stack up does, and tells the tests where it is. What was up before is left so
 * afterwards.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { awsEndpoint, mysqlUrl, opensearchUrl, giveBack } = await borrowStack(console.log, (provider) =>
    deployTo(provider, false),
  );
  const deployment = readDeployment();
  if (!deployment) throw new Error('The deployment is not where it was written down.');
  project.provide('stack', { apiUrl: deployment.url, awsEndpoint, mysqlUrl, opensearchUrl });
  return giveBack;
}
