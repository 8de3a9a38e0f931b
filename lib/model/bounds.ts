import { limits } from '../limits.ts';

// The ranges of numbers, counters, revisions and times. The schemas of archive lines and queue records, the ledger, and
// the tools that read stored data all use these functions or the same limits.

const wholeFrom =
  (lowest: number, highest: number) =>
  (value: number): boolean =>
    Number.isInteger(value) && value >= lowest && value <= highest;

/** Returns whether the value can be the number of a chat or message. */
export const isNumber = wholeFrom(1, limits.highestNumber);
/** Returns whether the value can be a counter: the highest number assigned so far, 0 before the first. */
export const isCounter = wholeFrom(0, limits.highestNumber);
/** Returns whether the value can be a revision: 0 for a creation; each edit takes the next one. */
export const isRevision = wholeFrom(0, limits.highestRevision);
/** Returns whether the value can be a version: each transaction that changes a chat makes the next one. */
export const isVersion = wholeFrom(1, Number.MAX_SAFE_INTEGER);
/** Returns whether the value can be a time, in milliseconds since 1970. */
export const isTime = wholeFrom(0, limits.latestTime);

const checks = { counter: isCounter, revision: isRevision, createdAt: isTime, updatedAt: isTime };

/** A value outside its range. */
export interface OutOfBounds {
  what: keyof typeof checks;
  value: number;
}

/** Returns the values that are outside their range; null and undefined are not checked. */
export const outOfBounds = (values: { [What in keyof typeof checks]?: number | null }): OutOfBounds[] =>
  (Object.keys(checks) as (keyof typeof checks)[]).flatMap((what) => {
    const value = values[what];
    return value === undefined || value === null || checks[what](value) ? [] : [{ what, value }];
  });
