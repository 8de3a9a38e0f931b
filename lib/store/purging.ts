import type { Parent } from '../model/keys.ts';

/** Something deleted whose rows and documents are to be removed. `pass` is 1 for the first time, 2 for the second. */
export interface Purge extends Parent {
  pass: number;
}

/** What the purge uses. */
export interface Purging {
  /** Returns what is due at `now`: everything not purged yet, and what `endPurge` set to a time up to `now`. */
  purges(now: number): Promise<Purge[]>;
  /** Removes up to `limit` rows below something deleted. Returns how many it removed. */
  purgeRows(deleted: Parent, limit: number): Promise<number>;
  /** Ends this pass of a purge. With `againAt`, the next pass is due then. */
  endPurge(purge: Purge, againAt?: number): Promise<void>;
}
