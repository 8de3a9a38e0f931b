import type { RefusedDocument } from './search-index.ts';

/** What a reindexing has just done, or is waiting for. */
export type ReindexStep =
  | { kind: 'waiting'; forMs: number; until: string }
  /** So many more messages of the store are in the new index, but for those that it will never take. */
  | { kind: 'copied'; messages: number; refused: RefusedDocument[] }
  | { kind: 'done'; what: string };

/** Something that keeps a reindexing from its work; the message is a sentence for whoever asked for it. */
export class ReindexProblem extends Error {}

/**
 * Builds the search index anew from the store. A run that was broken off is taken up by the next.
 *
 * All throw ReindexProblem where there is no index to begin with, or nothing to go back to.
 */
export interface Reindexing {
  /** What a run would do, in a sentence, and about how many messages it would copy. */
  plan(): Promise<{ what: string; messages: number }>;
  /** Answers what it does, step by step; breaking it off between two loses nothing. */
  run(): AsyncGenerator<ReindexStep>;
  /** Gives up a run that was broken off, as far as there is something to give up. */
  abort(): AsyncGenerator<ReindexStep>;
}
