import type { OutOfBounds } from '../model/bounds.ts';

/**
 * Where the write of a missing number was found.
 *
 * - `waiting`: parked or queued, so it arrives without intervention
 * - `dead letter`: an operator must redrive it
 * - `nowhere`: not found, but it may be in an SQS queue, which cannot be listed
 */
export type Whereabouts = 'waiting' | 'dead letter' | 'nowhere';

/** The part of an application, chat or message that one side lacks: everything, its last edit, or its deletion. */
export type Lacking = 'everything' | 'edit' | 'deletion';

/**
 * A difference between ledger, store and search index. It concerns an application; with `chat`, a chat of it; with
 * `number`, a message of that chat. `repaired` means that this run repaired it, so the next run does not find it.
 */
export type Difference = { repaired: boolean } & (
  | { kind: 'counter too low'; token: string; chat?: number; counter: number; highest: number }
  | { kind: 'not in ledger'; token: string; chat?: number; number?: number; lacking: Lacking }
  /**
   * The ledger has what the store lacks, so a repair copies it. For a message this is always a deletion, because the
   * ledger has no text.
   */
  | { kind: 'not in store'; token: string; chat?: number; number?: number; lacking: Lacking; found: Whereabouts }
  /** An assigned number without a stored row. `noticedAt`: when a run first noted it, in milliseconds since 1970. */
  | { kind: 'missing'; token: string; chat: number; number?: number; noticedAt?: number; found: Whereabouts }
  /** A number that has been missing for so long that its write cannot arrive any more; this run recorded it as void. */
  | { kind: 'void'; token: string; chat: number; number?: number; noticedAt: number }
  | { kind: 'not in index'; token: string; chat: number; number: number; lacking: Lacking }
  /** The index has a newer version than the store, and a repair copies it to the store. */
  | { kind: 'newer in index'; token: string; chat: number; number: number; lacking: Lacking }
  /** When `repaired`, the next roll-up sets the count. */
  | { kind: 'wrong count'; token: string; chat?: number; count: number; expected: number }
  /** A chat, or the list of an application's chats, has a lower version than one of its rows. */
  | { kind: 'version too low'; token: string; chat?: number; version: number; highest: number }
  /**
   * A value outside its range, left by an import of an earlier version or by corruption. Nothing repairs it. With a
   * counter out of bounds, the numbers up to the highest stored one are compared; with a revision or time out of
   * bounds, nothing is copied from that side. With `what: 'number'`, there may be several such numbers below the
   * application or chat; `value` is the highest.
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
  /** A dead letter of the store queue that may concern any number; while there is one, no number becomes void. */
  | { kind: 'unreadable dead letter'; reason: string }
);

/** The differences that a comparison found, and how many assigned numbers are neither stored nor void. */
export interface Compared {
  differences: Difference[];
  unstored: number;
}
