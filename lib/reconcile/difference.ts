import type { OutOfBounds } from '../model/bounds.ts';

/**
 * Where the write is that a missing number waits for: parked or queued, so that it comes by itself; among the dead
 * letters, from where a person must send it back; or nowhere that can be looked at, which may be a queue in SQS.
 */
export type Whereabouts = 'waiting' | 'dead letter' | 'nowhere';

/** What one side lacks of an application, chat or message: all of it, its last edit, or its deletion. */
export type Lacking = 'everything' | 'edit' | 'deletion';

/**
 * A difference between ledger, store and search index. It is about an application or, with `chat`, one of its chats or,
 * with `number`, a message of that. `repaired` says that it is mended, and will not be found again.
 */
export type Difference = { repaired: boolean } & (
  | { kind: 'counter too low'; token: string; chat?: number; counter: number; highest: number }
  | { kind: 'not in ledger'; token: string; chat?: number; number?: number; lacking: Lacking }
  /** The ledger has it whole, so that it can be stored from there; of a message it has the deletion. */
  | { kind: 'not in store'; token: string; chat?: number; number?: number; lacking: Lacking; found: Whereabouts }
  /** A number that was given, and nothing stored under it; noted since `noticedAt`, in milliseconds since 1970. */
  | { kind: 'missing'; token: string; chat: number; number?: number; noticedAt?: number; found: Whereabouts }
  /** A number that has been missing for so long that nothing can come any more; this run has recorded it as void. */
  | { kind: 'void'; token: string; chat: number; number?: number; noticedAt: number }
  | { kind: 'not in index'; token: string; chat: number; number: number; lacking: Lacking }
  /** The index has a newer version than the store, which gets it from there. */
  | { kind: 'only in index'; token: string; chat: number; number: number; lacking: Lacking }
  /** The next roll-up sets a count that is `repaired`. */
  | { kind: 'wrong count'; token: string; chat?: number; count: number; expected: number }
  /**
   * A value outside its range, left by an import of an earlier version or by damage. Nothing repairs it. Where it is a
   * counter, the numbers up to the highest stored one are compared; where it is a revision or time, nothing is copied from
   * there. `number` stands for all numbers out of bounds below the application or chat, and the value is the highest.
   */
  | {
      kind: 'out of bounds';
      token: string;
      chat?: number;
      number?: number;
      side: 'ledger' | 'store' | 'index';
      what: OutOfBounds['what'] | 'number';
      value: number;
    }
  /** A dead letter of the store queue that may be about any number; while there is one, no number becomes void. */
  | { kind: 'unreadable dead letter'; reason: string }
);

/** What a comparison found, and how many of the numbers given are not stored and not void. */
export interface Compared {
  differences: Difference[];
  unstored: number;
}
