import type { Parent } from '../../lib/model/keys.ts';
import type { PreparedStep } from './prepared-step.ts';

/** A part of what a follower missed, in order. */
export interface Missed {
  steps: PreparedStep[];
  /** The steps are complete up to this version. It is lower than the version asked for if the store was restored. */
  upTo: number;
}

/** What the feed reads. */
export interface FeedReads {
  /** Returns the present version of a chat or, without `chat`, of an application's chats. */
  version(parent: Parent): Promise<number>;
  /**
   * Returns the steps after version `after`, up to version `upTo`. All followers have the steps up to `after`, and
   * `upTo` is committed.
   */
  steps(parent: Parent, after: number, upTo: number): Promise<PreparedStep[]>;
  /**
   * Returns the next part of the steps after a version, which may be old. This can be slow, so it runs in a reader
   * process. Undefined when it was not read in time.
   */
  missed(parent: Parent, after: number): Promise<Missed | undefined>;
  /** Returns the application's access generation; undefined when it was deleted. */
  generation(token: string): Promise<number | undefined>;
  /** Returns those of an application's chats that were deleted. */
  deletedChats(token: string, chats: number[]): Promise<number[]>;
}
