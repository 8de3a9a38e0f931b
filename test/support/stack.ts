import type { TestProject } from 'vitest/node';
import { settle } from '../../stack/choosing.ts';
import { readDeployment } from '../../stack/deployment.ts';
import { stackFolder } from '../../stack/folders.ts';
import { locked } from '../../stack/lock.ts';
import { findServers } from '../../stack/tools.ts';
import { bringUp, deployTo } from '../../stack/up.ts';
import { readWanted } from '../../stack/wanted.ts';

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
  findServers();
  const alone = <Result>(work: () => Promise<Result>) =>
    locked(stackFolder, work, () => console.log('Another script/stack is at work for this checkout; waiting.'));
  const { provider, wasUp } = await alone(async () => {
    const chosen = await settle(readWanted({}, process.env), console.log);
    const before = await chosen.parts();
    await bringUp(chosen);
    await deployTo(chosen, false);
    return { provider: chosen, wasUp: before.some(({ running }) => running) };
  });

  const { awsEndpoint, mysqlUrl, mysqlPassword, opensearchUrl } = provider.servers;
  const deployment = readDeployment();
  if (!deployment) throw new Error('The deployment is not where it was written down.');
  const mysql = new URL(mysqlUrl);
  mysql.password = mysqlPassword;
  project.provide('stack', { apiUrl: deployment.url, awsEndpoint, mysqlUrl: mysql.href, opensearchUrl });
  return async () => {
    if (!wasUp) await alone(() => provider.stop());
  };
}
