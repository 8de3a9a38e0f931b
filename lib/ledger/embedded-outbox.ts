import { limits } from '../limits.ts';
import type { EmbeddedQueue } from '../queue/embedded.ts';
import { encodeWrites, type Write } from '../queue/records.ts';
import type { GroupCommit } from '../sqlite/group-commit.ts';

/**
 * The way from the embedded ledger to its store queue: what one group commit accepts travels as one record, in its order.
 * With a record for each request, putting it in, handing it out and acknowledging it cost more than accepting the write.
 */
export class EmbeddedOutbox {
  #writes: Write[] = [];

  constructor(commits: GroupCommit, storeQueue: EmbeddedQueue) {
    commits.join({
      begin: () => {
        this.#writes = [];
      },
      end: () => {
        if (this.#writes.length > 0) storeQueue.insert([...recordsOf(this.#writes)]);
      },
    });
  }

  /** Adds writes to the group under way. */
  add(writes: Write[]): void {
    this.#writes.push(...writes);
  }

  /** Runs a piece of work of the group; what it added goes when it throws. */
  transact<T>(work: () => T): T {
    const before = this.#writes.length;
    try {
      return work();
    } catch (error) {
      this.#writes.length = before;
      throw error;
    }
  }
}

/** As few records as hold no more rows than a worker stores in one transaction, and not much more text than one may have. */
function* recordsOf(writes: Write[]): Generator<string> {
  let first = 0;
  let characters = 0;
  for (const [i, write] of writes.entries()) {
    characters += 'body' in write ? write.body.length : 0;
    if (i + 1 - first < limits.rowsPerTransaction && characters < limits.recordBytes) continue;
    yield encodeWrites(writes.slice(first, i + 1));
    first = i + 1;
    characters = 0;
  }
  if (first < writes.length) yield encodeWrites(writes.slice(first));
}
