import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { syncFolder } from './sync-folder.ts';

/** The file of the system secret in a data folder. */
const fileName = 'system-secret';
const secretBytes = 32;
/** 256 bits as base64url, without a line break. */
const secretLength = 43;
/** The owner alone may read and write it. */
const mode = 0o600;
const modeOfOthers = 0o077;

/** Why the file of the system secret cannot be used; `reason` completes the sentence "The system secret FILE …". */
export class UnusableSystemSecret extends Error {
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(
      `The system secret ${file} ${reason}; restore it, or delete it to get a new one, which makes all cursors and access tokens invalid.`,
      options,
    );
    this.name = 'UnusableSystemSecret';
  }
}

/**
 * Returns the system secret of a data folder, and creates it at the first start. If other users may read the file, for
 * instance because a restore lost its mode, their access is removed. Call it only while no other process uses the
 * folder.
 *
 * @returns 256 random bits as 43 characters of base64url
 * @throws UnusableSystemSecret when the file is damaged or cannot be read, or the system's error when it cannot be
 *   created
 */
export function systemSecretOf(dataDir: string): string {
  const file = path.join(dataDir, fileName);
  const found = read(file);
  if (found !== undefined) return found;
  const secret = randomBytes(secretBytes).toString('base64url');
  write(file, secret);
  return secret;
}

/**
 * Copies the system secret of a data folder into another folder, with access for the owner only. Does nothing if the
 * folder has none, because no system was ever started on it.
 *
 * @throws UnusableSystemSecret when the file is damaged or cannot be read, or the system's error when the copy cannot be
 *   created
 */
export function copySystemSecret(dataDir: string, copy: string): void {
  const secret = read(path.join(dataDir, fileName));
  if (secret !== undefined) write(path.join(copy, fileName), secret);
}

function read(file: string): string | undefined {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat) return undefined;
    // Opening a pipe would block the process, and a folder has no text.
    if (!stat.isFile()) throw new UnusableSystemSecret(file, 'is not a file');
    // Windows has no such mode; there the access list of the folder counts.
    if (process.platform !== 'win32' && (stat.mode & modeOfOthers) !== 0) chmodSync(file, mode);
    const text = Buffer.alloc(secretLength + 1);
    const descriptor = openSync(file, 'r');
    const length = readSync(descriptor, text);
    closeSync(descriptor);
    const secret = text.toString('latin1', 0, length);
    if (Buffer.from(secret, 'base64url').toString('base64url') !== secret || secret.length !== secretLength)
      throw new UnusableSystemSecret(file, 'is damaged');
    return secret;
  } catch (error) {
    if (error instanceof UnusableSystemSecret) throw error;
    throw new UnusableSystemSecret(file, `cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

/** Writes the file atomically: after a crash it is complete or missing. */
function write(file: string, secret: string): void {
  const unfinished = `${file}.new`;
  // A crash may have left an unfinished file.
  rmSync(unfinished, { force: true });
  const descriptor = openSync(unfinished, 'wx', mode);
  try {
    writeSync(descriptor, secret);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(unfinished, file);
  syncFolder(path.dirname(file));
}
