import { limits } from '../../limits.ts';
import type { Scope } from './ids.ts';
import { isChat } from './matching.ts';

/** The number of matches of a query, kept for later searches. */
export interface KeptCount {
  /** The number of matches. Counting ends above the highest exact total, so there may be even more. */
  count: number;
  /** In a chat, the matches are counted up to this message number. In an application, it is 0 and not used. */
  to: number;
}

/**
 * The counts of recent searches. Finding a page of frequent matches is fast, but counting them takes longer, so a later
 * search for the same text counts only the matches in newer messages. A count is used only until its scope gets another
 * edition.
 */
export class KeptCounts {
  readonly #counts = new Map<string, { edition: number; kept: KeptCount }>();

  get(scope: Scope, folded: string): KeptCount | undefined {
    const key = keyOf(scope, folded);
    const found = this.#counts.get(key);
    if (!found) return undefined;
    this.#counts.delete(key);
    if (found.edition !== scope.edition) return undefined;
    // A Map keeps the order of insertion, so the first one is the least recently used.
    this.#counts.set(key, found);
    return found.kept;
  }

  set(scope: Scope, folded: string, kept: KeptCount): void {
    const key = keyOf(scope, folded);
    this.#counts.delete(key);
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined && this.#counts.size >= limits.keptCounts) this.#counts.delete(oldest);
    this.#counts.set(key, { edition: scope.edition, kept });
  }
}

const keyOf = (scope: Scope, folded: string): string =>
  `${scope.application}/${isChat(scope) ? scope.ordinal : ''}/${folded}`;
