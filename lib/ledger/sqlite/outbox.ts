import { limits } from '../../limits.ts';
import { charactersOf } from '../../model/content.ts';
import type { Write } from '../../model/write.ts';
import { encodeWrites } from '../../queue/records.ts';
import type { SqliteQueue } from '../../queue/sqlite/sqlite-queue.ts';
import type { GroupCommit } from '../../sqlite/group-commit.ts';

/** What one request writes. */
interface Accepted {
  id: string | undefined;
  writes: Write[];
}

/**
 * The way from the embedded ledger to its store queue: what one group commit accepts travels as one record, in its order.
 * With a record for each request, putting it in, handing it out and acknowledging it cost more than accepting the write.
 */
export class SqliteOutbox {
  #requests: Accepted[] = [];
  /** The request whose piece of work is under way. */
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

  /** Adds writes to the group under way. */
  add(writes: Write[]): void {
    this.#requests.push({ id: this.#requestId, writes });
  }

  /** Runs a request's piece of work of the group; what it added goes when it throws. */
  transact<T>(requestId: string | undefined, work: () => T): T {
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

/** Yields as few records as possible. None has more rows than a worker stores in one transaction, or much more text than a record may have. */
function* recordsOfGroup(requests: Accepted[]): Generator<string> {
  let writes: Write[] = [];
  let ids: string[] = [];
  let characters = 0;
  for (const request of requests)
    for (const write of request.writes) {
      writes.push(write);
      if (request.id !== undefined && request.id !== ids.at(-1)) ids.push(request.id);
      characters += 'content' in write ? charactersOf(write.content) : 0;
      if (writes.length < limits.rowsPerTransaction && characters < limits.recordBytes) continue;
      yield encodeWrites(writes, ids);
      [writes, ids, characters] = [[], [], 0];
    }
  if (writes.length > 0) yield encodeWrites(writes, ids);
}
