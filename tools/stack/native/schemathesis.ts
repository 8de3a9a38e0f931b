import path from 'node:path';
import type { Say } from '../run.ts';
import { pythonEnvironment } from './python.ts';

const version = '4.30.1';

/** The command of Schemathesis, with which the tests fuzz the API; it is installed where it is not there yet. */
export async function schemathesis(say: Say): Promise<[string, ...string[]]> {
  const environment = await pythonEnvironment(`schemathesis-${version}`, 'schemathesis-requirements.txt', say);
  // Not the environment's own program, which knows only the place where it was made.
  return [path.join(environment, 'bin/python'), '-m', 'schemathesis.cli'];
}
