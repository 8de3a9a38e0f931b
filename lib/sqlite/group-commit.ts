import type { Database } from './database.ts';

interface WaitingWork {
  work: () => unknown;
  /** Whether the work can be rolled back without the rest of its group. */
  undoable: boolean;
  resolve: (value: never) => void;
  reject: (reason: unknown) => void;
}

/** Adds work of its own to the transaction of every group. */
export interface Participant {
  /** Called before the group's first work. The previous group may have failed as a whole. */
  begin: () => void;
  /**
   * Called before work that can be rolled back alone. Must write everything that earlier work would otherwise write in
   * `end`. Then the next work finds it in the database, and a rollback of the next work does not undo it. If it throws,
   * the whole group fails.
   */
  settle?: () => void;
  /** Called after the group's last work, within the transaction. If it throws, the whole group fails. */
  end: () => void;
}

/**
 * Commits all waiting work as one transaction, so that one sync to the disk serves all concurrent requests. Work that
 * throws is rolled back and fails alone. A result is returned only when the transaction is on the disk. If the commit
 * fails, the whole group fails with its error.
 *
 * SQLite does not do the sync, because this thread would have to wait for it. While the disk works, the thread reads
 * requests and writes responses, and new work waits for the next group. Only one group is committed at a time.
 */
export class GroupCommit {
  readonly database: Database;
  readonly #crash: (error: unknown) => void;
  readonly #participants: Participant[] = [];
  readonly #listeners: (() => void)[] = [];
  #waiting: WaitingWork[] = [];
  #underWay = false;
  #syncing: Promise<void> | undefined;

  /**
   * @param database opened with `syncsLater`
   * @param crash must end the process. After a sync that failed, it is unknown what the disk has: the system may even
   *   have dropped the data. Only a new start reads what is there. No caller of the group gets a result, and nothing
   *   more is committed.
   */
  constructor(database: Database, crash: (error: unknown) => void = throwOutside) {
    this.database = database;
    this.#crash = crash;
  }

  /**
   * Runs `work`, which must be synchronous, in the next group. Resolves with its result when the group is on the disk.
   */
  run<T>(work: () => T): Promise<T> {
    return this.#add(work, true);
  }

  /**
   * Like `run`, for work that changes the file with at most one statement and does not throw after that statement, or
   * that leaves its change to a participant's `end`. SQLite itself rolls back a statement that fails. This avoids a
   * savepoint, which takes a fifth of the time that a create takes in SQLite.
   */
  runStatement<T>(work: () => T): Promise<T> {
    return this.#add(work, false);
  }

  join(participant: Participant): void {
    this.#participants.push(participant);
  }

  /**
   * Resolves when all commits so far are on the disk. Everything that the caller then reads before its next `await` is
   * on the disk, because no commit can happen within the caller's turn of the event loop.
   */
  async synced(): Promise<void> {
    await this.#syncing;
  }

  /** Calls the listener after each commit, when it is on the disk. */
  onCommit(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #add<T>(work: () => T, undoable: boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, undoable, resolve, reject });
      if (!this.#underWay) this.#schedule();
    });
  }

  #schedule(): void {
    this.#underWay = true;
    // Wait two turns of the event loop: clients that just got a response often send again, and those requests then join
    // this commit. The larger groups save an eighth of a request's processor time. More turns save no more.
    setImmediate(() => setImmediate(() => this.#next().catch(this.#crash)));
  }

  async #next(): Promise<void> {
    const outcomes = this.#commit();
    if (outcomes) {
      this.#syncing = this.database.sync();
      await this.#syncing;
      this.#syncing = undefined;
      for (const finish of outcomes) finish();
      for (const listener of this.#listeners) listener();
    }
    this.#underWay = false;
    if (this.#waiting.length > 0) this.#schedule();
  }

  /**
   * Returns functions that resolve or reject the promises of the group, to be called when the commit is on the disk.
   * Returns undefined if the commit failed; then the promises are rejected already.
   */
  #commit(): (() => void)[] | undefined {
    const group = this.#waiting;
    this.#waiting = [];
    const outcomes: (() => void)[] = [];
    try {
      this.database.transaction(() => {
        for (const { begin } of this.#participants) begin();
        for (const each of group) outcomes.push(this.#outcome(each));
        for (const { end } of this.#participants) end();
      });
      return outcomes;
    } catch (error) {
      for (const { reject } of group) reject(error);
      return undefined;
    }
  }

  #outcome({ work, undoable, resolve, reject }: WaitingWork): () => void {
    const { database } = this;
    if (undoable) {
      for (const { settle } of this.#participants) settle?.();
      database.prepare('SAVEPOINT work').run();
    }
    try {
      const value = work();
      if (undoable) database.prepare('RELEASE work').run();
      return () => resolve(value as never);
    } catch (error) {
      // After some errors, such as a full disk, SQLite has already rolled back the whole transaction.
      if (!database.raw.isTransaction) throw error;
      if (undoable) {
        database.prepare('ROLLBACK TO work').run();
        database.prepare('RELEASE work').run();
      }
      return () => reject(error);
    }
  }
}

/** Throws where nothing catches the error, so that Node.js ends the process. */
const throwOutside = (error: unknown): void =>
  queueMicrotask(() => {
    throw error;
  });
