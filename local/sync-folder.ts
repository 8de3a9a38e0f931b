import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Writes the names of a folder's files to the disk. */
export function syncFolder(folder: string): void {
  // Windows cannot open a folder, and writes renames to the disk by itself.
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
