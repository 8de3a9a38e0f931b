import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
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
    /** The file that has these URLs once the stack is up, or the error if the stack did not start. */
    stackFile: string;
  }
}

/**
 * Starts this checkout's stack, as script/stack up does, while the tests of other projects run. stack-ready.ts waits for
 * it. A stack that was already running is left running afterwards.
 */
export function setup(project: TestProject): () => Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-stack-'));
  const file = path.join(folder, 'stack.json');
  const tell = (outcome: object) => {
    // Renamed, so that nobody reads a part of it.
    writeFileSync(`${file}.new`, JSON.stringify(outcome));
    renameSync(`${file}.new`, file);
  };
  project.provide('stack', { apiUrl: '', awsEndpoint: '', mysqlUrl: '', opensearchUrl: '' });
  project.provide('stackFile', file);
  const started = start().then(
    ({ release, ...stack }) => {
      tell({ stack });
      return release;
    },
    (error: Error) => {
      tell({ error: error.stack });
      return async () => undefined;
    },
  );
  return async () => {
    const release = await started;
    await release();
    rmSync(folder, { recursive: true });
  };
}

async function start() {
  const borrowed = await borrowStack(console.log, (provider) => deployTo(provider, false));
  const deployment = readDeployment();
  if (!deployment) throw new Error('The stack is deployed, but .stack/deployment.json is missing or truncated.');
  return { ...borrowed, apiUrl: deployment.url };
}
