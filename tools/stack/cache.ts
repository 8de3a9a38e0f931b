import { createHash } from 'node:crypto';
import { createReadStream, existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CommandProblem } from '../cli/problem.ts';
import { cacheFolder, makeFolder } from './folders.ts';
import { locked } from './lock.ts';
import type { Say } from './run.ts';

/**
 * Returns the path of a file or folder of the cache, and creates it if it is missing. The path exists only once its
 * content is complete. If several processes need it, one creates it and the others wait.
 *
 * @param make creates it at the given path, which is in an otherwise empty folder
 */
export async function cached(name: string, say: Say, make: (target: string) => Promise<void>): Promise<string> {
  const place = path.join(cacheFolder, name);
  if (existsSync(place)) return place;
  const work = async () => {
    if (existsSync(place)) return;
    const making = path.join(makeFolder(cacheFolder), `making-${name}`);
    // An interrupted process may have left this folder.
    rmSync(making, { recursive: true, force: true });
    makeFolder(making);
    try {
      await make(path.join(making, name));
      renameSync(path.join(making, name), place);
    } finally {
      rmSync(making, { recursive: true, force: true });
    }
  };
  await locked(path.join(cacheFolder, 'locks', name), work, () => say('Another process is installing it; waiting'));
  return place;
}

/** Checks the file's SHA-256. @throws CommandProblem when it differs */
export async function verify(file: string, sha256: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const found = hash.digest('hex');
  if (found !== sha256)
    throw new CommandProblem(`${path.basename(file)} has the SHA-256 ${found} instead of ${sha256}.`);
}
