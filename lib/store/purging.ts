import type { Parent } from '../model/keys.ts';

/** A deleted application or chat whose rows and documents must be removed. It is purged twice; `pass` is 1 or 2. */
export interface Purge extends Parent {
  pass: number;
}

/** What the purge uses. */
export interface Purging {
  /**
   * Returns the purges that are due at `now`, in milliseconds since 1970: all first passes, and second passes whose
   * time has come.
   */
  purges(now: number): Promise<Purge[]>;
  /** Removes up to `limit` rows below a deleted application or chat. Returns how many it removed. */
  purgeRows(deleted: Parent, limit: number): Promise<number>;
  /** Ends this pass of a purge. With `againAt`, the next pass is due at that time. */
  endPurge(purge: Purge, againAt?: number): Promise<void>;
}
