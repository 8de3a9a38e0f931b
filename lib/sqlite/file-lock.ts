import { DatabaseSync } from 'node:sqlite';
import { isLocked, UnusableDatabase } from './database.ts';

/**
 * A lock that one process at a time can hold. It is SQLite's exclusive lock on an empty file, because Node.js itself
 * cannot lock files. The system releases it when the process ends, in whatever way.
 *
 * On POSIX systems, a process loses its lock when it closes any descriptor of the same file
 * (https://sqlite.org/howtocorrupt.html, 2.2). So no other code of the process that holds it may open the file.
 */
export class FileLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * Takes the lock, and creates the file if it does not exist. Does not wait.
   *
   * @returns undefined if another process, or other code of this process, holds the lock
   * @throws UnusableDatabase when the file cannot be created or locked
   */
  static take(path: string): FileLock | undefined {
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(path, { timeout: 0 });
      // The transaction never changes the file. Its journal is in memory, so that no second file appears.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      return new FileLock(database);
    } catch (error) {
      database?.close();
      if (isLocked(error)) return undefined;
      throw new UnusableDatabase(
        path,
        'cannot be created or locked; it must be an empty file in a folder that this user can write.',
        { kind: 'lock file', cause: error },
      );
    }
  }

  release(): void {
    this.#database.close();
  }
}
