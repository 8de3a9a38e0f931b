import type { Database } from './database.ts';

interface Waiting {
  work: () => unknown;
  resolve: (value: never) => void;
  reject: (reason: unknown) => void;
}

/**
 * Commits everything that waits as one transaction, so that one sync to the disk serves all concurrent requests. Each
 * piece of work has a savepoint of its own: one that throws is undone and fails alone. Nobody is answered before the
 * transaction is on the disk; when the commit fails, all of the group fail with its error.
 */
export class GroupCommit {
  readonly database: Database;
  #waiting: Waiting[] = [];
  #scheduled = false;
  readonly #listeners: (() => void)[] = [];

  constructor(database: Database) {
    this.database = database;
  }

  /** Runs `work`, which must be synchronous, in the next group; resolves with its result when that is on the disk. */
  run<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // After the event loop has read all requests that have arrived, so that they share the commit.
      setImmediate(() => this.flush());
    });
  }

  /** Calls the listener after each commit. */
  onCommit(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Commits what waits now. */
  flush(): void {
    const group = this.#waiting;
    this.#waiting = [];
    this.#scheduled = false;
    if (group.length === 0) return;
    const outcomes: (() => void)[] = [];
    try {
      this.database.transaction(() => {
        for (const waiting of group) outcomes.push(this.#outcome(waiting));
      });
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const settle of outcomes) settle();
    for (const listener of this.#listeners) listener();
  }

  #outcome({ work, resolve, reject }: Waiting): () => void {
    const { database } = this;
    database.prepare('SAVEPOINT work').run();
    try {
      const value = work();
      database.prepare('RELEASE work').run();
      return () => resolve(value as never);
    } catch (error) {
      // Some errors, a full disk among them, have rolled the whole transaction back already.
      if (!database.raw.isTransaction) throw error;
      database.prepare('ROLLBACK TO work').run();
      database.prepare('RELEASE work').run();
      return () => reject(error);
    }
  }
}
