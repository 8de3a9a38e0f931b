import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { project } from '../cli/project.ts';

/** The folder with this checkout's settings, pids and logs of `script/stack`. */
export const stackFolder = path.join(project, '.stack');
export const logFolder = path.join(stackFolder, 'logs');

export const isRoot = process.getuid?.() === 0;

/** Returns whether every user can enter the folder. */
export function openToAll(folder: string): boolean {
  const parent = path.dirname(folder);
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode;
  return (mode === undefined || (mode & 0o001) !== 0) && (parent === folder || openToAll(parent));
}

/**
 * Returns the folder, or one below `instead` when only root can enter it: MariaDB and OpenSearch do not run as root, so
 * they could not use a folder in a checkout below /root.
 */
const reachable = (folder: string, instead: string): string =>
  isRoot && !openToAll(path.dirname(folder))
    ? path.join(instead, createHash('sha256').update(folder).digest('hex').slice(0, 12))
    : folder;

/** The folder with the data of this checkout's servers. */
export const dataFolder = reachable(path.join(stackFolder, 'data'), '/var/lib/chat-system');

/** The folder with downloads, which all checkouts of a user share. */
export const cacheFolder =
  process.env.STACK_CACHE ||
  reachable(
    path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'chat-system'),
    '/var/cache/chat-system',
  );

/**
 * Creates a folder that every user can enter, because servers run as other users. Files with secrets have a stricter
 * mode.
 */
export function makeFolder(folder: string): string {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  return folder;
}
