import path from 'node:path';
import type { Say } from '../run.ts';
import { pythonEnvironment } from './python.ts';

const version = '4.30.1';

/** Returns the command of Schemathesis, which the tests use to fuzz the API. Installs it if it is missing. */
export async function schemathesis(say: Say): Promise<[string, ...string[]]> {
  const environment = await pythonEnvironment(`schemathesis-${version}`, 'schemathesis-requirements.txt', say);
  // The script in the environment's bin folder would contain the path where the environment was created.
  return [path.join(environment, 'bin/python'), '-m', 'schemathesis.cli'];
}
