import path from 'node:path';
import { cached } from '../cache.ts';
import { run, type Say } from '../run.ts';

/**
 * Returns the folder of a Python virtual environment with the packages of a requirements file in this folder. Creates
 * it if it is missing; pip verifies the checksums.
 */
export const pythonEnvironment = (name: string, requirements: string, say: Say): Promise<string> =>
  cached(name, say, async (target) => {
    say(`Installing ${name} from PyPI`);
    await run(['python3', '-m', 'venv', target]);
    await run(
      [
        path.join(target, 'bin/python'),
        ...['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--progress-bar=off'],
        ...['--require-hashes', '--no-deps', '--only-binary=:all:'],
        ...['--requirement', path.join(import.meta.dirname, requirements)],
      ],
      { say },
    );
  });
