import type { Parent } from '../model/keys.ts';

/** An application or chat whose counts may have changed. */
export interface Mark extends Parent {
  /** A random number that each change replaces, so that a mark that changed is not cleared. */
  tag: number;
}

/** What the roll-up uses. */
export interface Counting {
  /** Returns marks in a fixed order, after the given one. */
  marks(limit: number, after?: Parent): Promise<Mark[]>;
  /**
   * Sets each count to the highest assigned number minus the deleted and void ones, and clears the marks that have not
   * changed since they were read. A count that was computed earlier never replaces one that was computed later.
   *
   * @param highestNumbers for each mark, the highest assigned number; if it is undefined, only the mark is cleared
   */
  setCounts(marks: Mark[], highestNumbers: (number | undefined)[]): Promise<void>;
}
