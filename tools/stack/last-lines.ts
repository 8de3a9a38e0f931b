import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes to read from the end of a file: enough for a few hundred lines of a log that may be large. */
const tailBytes = 64 * 1024;

/** Returns the last lines of a file; an empty text when the file does not exist. */
export function lastLines(file: string, count: number): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = fstatSync(descriptor);
    const tail = Buffer.alloc(Math.min(size, tailBytes));
    readSync(descriptor, tail, 0, tail.length, size - tail.length);
    return tail.toString('utf8').trimEnd().split('\n').slice(-count).join('\n');
  } finally {
    closeSync(descriptor);
  }
}
