import { limits } from '../../limits.ts';
import { charactersOf } from '../../model/content.ts';
import { type EncodedWrite, recordOf } from '../../queue/records.ts';
import type { SqliteQueue } from '../../queue/sqlite/sqlite-queue.ts';
import type { GroupCommit } from '../../sqlite/group-commit.ts';

/** The writes of one request. */
interface Accepted {
  id: string | undefined;
  writes: EncodedWrite[];
}

/**
 * Sends the accepted writes of the SQLite ledger to the store queue. The writes of one group commit travel as one
 * record, in the order of acceptance. One record per request would take longer to insert, deliver and acknowledge than
 * the write takes to accept.
 */
export class SqliteOutbox {
  #requests: Accepted[] = [];
  /** The id of the request whose work is running. */
  #requestId: string | undefined;

  constructor(commits: GroupCommit, storeQueue: SqliteQueue) {
    commits.join({
      begin: () => {
        this.#requests = [];
      },
      end: () => {
        if (this.#requests.length > 0) storeQueue.insert([...recordsOfGroup(this.#requests)]);
      },
    });
  }

  /**
   * Adds writes to the current group. Callers pass an object literal directly to `encodeWrite`, so that only the
   * encoded object is allocated. A second object for each write took a tenth of the memory that was allocated to accept
   * a batch.
   */
  add(...writes: EncodedWrite[]): void {
    this.#requests.push({ id: this.#requestId, writes });
  }

  /** Runs the work of one request, and collects the writes that it adds. If it throws, they are dropped. */
  collectFor<T>(requestId: string | undefined, work: () => T): T {
    const before = this.#requests.length;
    this.#requestId = requestId;
    try {
      return work();
    } catch (error) {
      this.#requests.length = before;
      throw error;
    }
  }
}

/**
 * Yields the writes in as few records as possible. A record ends with the write that reaches
 * `limits.rowsPerTransaction` writes (a worker stores them in one transaction) or `limits.recordBytes` of text.
 */
function* recordsOfGroup(requests: Accepted[]): Generator<string> {
  let writes: EncodedWrite[] = [];
  let ids: string[] = [];
  let characters = 0;
  for (const request of requests)
    for (const write of request.writes) {
      writes.push(write);
      if (request.id !== undefined && request.id !== ids.at(-1)) ids.push(request.id);
      characters += write.kind === 'message' ? charactersOf(write) : 0;
      if (writes.length < limits.rowsPerTransaction && characters < limits.recordBytes) continue;
      yield recordOf(writes, ids);
      [writes, ids, characters] = [[], [], 0];
    }
  if (writes.length > 0) yield recordOf(writes, ids);
}
