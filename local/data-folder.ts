import { mkdirSync } from 'node:fs';
import path from 'node:path';

/**
 * Makes the folder, and those above it, for this user alone: what is kept there holds tokens. Does nothing where it
 * exists. Not by `recursive: true`: where a folder can't be made though the one above exists, as in /proc, Node.js 24
 * tries for ever.
 *
 * @throws the system's error when it can't be made
 */
export function makeDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || path.dirname(folder) === folder) throw error;
    makeDataFolder(path.dirname(folder));
    mkdirSync(folder, { mode: 0o700 });
  }
}
