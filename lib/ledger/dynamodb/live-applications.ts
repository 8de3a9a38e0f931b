import { applicationKey } from './keys.ts';
import type { DynamodbTable } from './table.ts';

/** How long an application that was not deleted counts as such, in milliseconds. The contract allows a minute. */
export const keptMs = 30_000;

/** Most applications that are remembered, 100 bytes each. */
const kept = 10_000;

/**
 * Tells whether applications are deleted, from reads that are up to 30 s old. Creating a message updates the item of its
 * chat only, and the purge of a large application takes hours to reach all chats. So without this, messages would be
 * accepted below a deleted application all that time, and dropped later.
 */
export class LiveApplications {
  readonly #table: DynamodbTable;
  readonly #now: () => number;
  readonly #readAt = new Map<string, number>();

  constructor(table: DynamodbTable, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /** Returns whether the application is known to be deleted. If it cannot be read, it is not. */
  async isDeleted(token: string): Promise<boolean> {
    const now = this.#now();
    const readAt = this.#readAt.get(token);
    if (readAt !== undefined && Math.abs(now - readAt) < keptMs) return false;
    const [item] = (await this.#table.glimpse([applicationKey(token)])) ?? [];
    if (item?.deleted) return true;
    // An application without an item may be so new that this read does not see it yet.
    if (!item) return false;
    if (this.#readAt.size >= kept) this.#readAt.clear();
    this.#readAt.set(token, now);
    return false;
  }
}
