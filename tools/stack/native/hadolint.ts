import path from 'node:path';
import type { Say } from '../run.ts';
import { pythonEnvironment } from './python.ts';

const version = '2.15.1';

/** Returns the path of hadolint, which the tests use to lint the Dockerfile. Installs it if it is missing. */
export async function hadolint(say: Say): Promise<string> {
  const environment = await pythonEnvironment(`hadolint-${version}`, 'hadolint-requirements.txt', say);
  return path.join(environment, 'bin/hadolint');
}
