import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from './folders.ts';

/** SQLite's error code for a database that another process has locked. */
const busy = 5;

/**
 * Runs the work while no other process holds the same lock. The lock is the system's lock on a SQLite file, so it is
 * released when its holder exits, even by a kill.
 *
 * @param waiting called once when another process holds the lock
 */
export async function locked<Result>(
  folder: string,
  work: () => Promise<Result>,
  waiting: () => void,
): Promise<Result> {
  const file = new DatabaseSync(path.join(makeFolder(folder), 'lock'), { timeout: 0 });
  try {
    for (let told = false; !take(file); told = true) {
      if (!told) waiting();
      await sleep(100);
    }
    return await work();
  } finally {
    file.close();
  }
}

function take(file: DatabaseSync): boolean {
  try {
    file.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === busy) return false;
    throw error;
  }
}
