import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Returns every file of a folder with the hash of its content, or undefined if the folder does not exist. */
export function fileHashes(folder: string): Record<string, string> | undefined {
  if (!existsSync(folder)) return undefined;
  const names = readdirSync(folder).sort();
  const hash = (name: string) =>
    createHash('sha256')
      .update(readFileSync(path.join(folder, name)))
      .digest('hex');
  return Object.fromEntries(names.map((name) => [name, hash(name)]));
}
