import { limits } from '../../limits.ts';
import { RecentReads } from '../../recent-reads.ts';
import { applicationKey } from './keys.ts';
import type { DynamodbTable } from './table.ts';

/**
 * Tells whether applications are deleted, from reads that are up to 30 s old. Creating a message updates the item of
 * its chat only, and the purge of a large application takes hours to reach all chats. So without this, messages would
 * be accepted below a deleted application all that time, and dropped later.
 */
export class ExistingApplications {
  readonly #table: DynamodbTable;
  readonly #now: () => number;
  readonly #existing = new RecentReads<true>(limits.existingApplicationMs);

  constructor(table: DynamodbTable, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /**
   * Notes that an application was read for another reason, and was not deleted.
   *
   * @param at the time before it was read
   */
  noteExisting(token: string, at: number): void {
    this.#existing.set(token, true, at);
  }

  /** Returns whether the application is known to be deleted. Returns false if the application cannot be read. */
  async isDeleted(token: string): Promise<boolean> {
    const now = this.#now();
    if (this.#existing.get(token, now)) return false;
    const [item] = (await this.#table.tryGet([applicationKey(token)])) ?? [];
    if (item?.deleted) return true;
    // An application without an item may be so new that this read does not see it yet.
    if (item) this.noteExisting(token, now);
    return false;
  }
}
