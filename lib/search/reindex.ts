import type { RefusedDocument } from './search-index.ts';

/** Something that a reindexing has done, or is waiting for. */
export type ReindexStep =
  | { kind: 'waiting'; forMs: number; until: string }
  /**
   * `messages`: how many more messages of the store were copied to the new index. `refused`: those of them that the
   * index refused for good.
   */
  | { kind: 'copied'; messages: number; refused: RefusedDocument[] }
  | { kind: 'done'; what: string };

/** The reason why a reindexing cannot run. The message is a sentence for the operator. */
export class ReindexProblem extends Error {}

/**
 * Rebuilds the search index from the store. A run resumes where an interrupted one stopped.
 *
 * The methods throw ReindexProblem when there is no index, or when a run cannot continue or be aborted.
 */
export interface Reindexing {
  /** Returns what a run would do, as a clause, and roughly how many messages it would copy. */
  plan(): Promise<{ what: string; messages: number }>;
  /** Runs, and yields each step. Stopping between two steps loses nothing. */
  run(): AsyncGenerator<ReindexStep>;
  /** Discards an interrupted run; does nothing when there is none. */
  abort(): AsyncGenerator<ReindexStep>;
}
