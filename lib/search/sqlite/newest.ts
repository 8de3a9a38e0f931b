import type { Database } from '../../sqlite/database.ts';
import type { SearchPosition } from '../search-index.ts';
import { fold } from '../text/fold.ts';
import { containing } from './containing.ts';
import { numberOf, type Scope } from './ids.ts';
import {
  fromIndex,
  fromMatches,
  indexValues,
  type Matching,
  type MatchRow,
  matchColumns,
  matchValues,
} from './matching.ts';

/** The limits at which {@link NewestMatches} switches from one strategy to the next. */
export interface Budgets {
  /** The minimum cost before reading backwards may stop. {@link unitsPerText} says what reading a text costs. */
  minRead: number;
  /**
   * Maximum predicted cost of filling the page. Once `minRead` is reached, reading backwards stops if the prediction
   * exceeds this. The prediction assumes that matches stay as frequent as they were so far.
   */
  maxRead: number;
  /** Up to this many matches are sorted. */
  maxSorted: number;
}

/**
 * Reading at the cost of `minRead` takes 1 to 3 ms. The cost of `maxRead` is enough to fill a page of 100 if one
 * message in 200 matches and messages are short. Sorting 100,000 matches takes about as long as scanning 1,000,000
 * messages by time.
 */
export const usualBudgets: Budgets = { minRead: 1_000, maxRead: 20_000, maxSorted: 100_000 };

/** Reading a text costs 1, plus its length in UTF-16 units divided by this. */
const unitsPerText = 500;

const newest = 'ORDER BY d.created_at DESC, d.chat DESC, d.id DESC LIMIT ?';

export interface NewestQuery {
  limit: number;
  after?: SearchPosition | undefined;
}

/**
 * Finds the newest matches of an application. Matches are ordered by time, but the full-text tables list documents by
 * chat and number, and the index by time does not contain texts. So no single index returns the newest matches
 * directly.
 */
export class NewestMatches {
  readonly #database: Database;
  readonly #budgets: Budgets;
  #reading = { contains: (_folded: string) => false, wanted: 0, read: 0, found: 0, stopped: false };

  constructor(database: Database, budgets: Budgets) {
    this.#database = database;
    this.#budgets = budgets;
    database.raw.function('found_or_stopped', { directOnly: true }, (body) => this.#foundOrStopped(String(body)));
  }

  /** Fetches and sorts all matches. This takes 1 µs for each, and 1 to 4 µs more when texts are compared. */
  sorted(matching: Matching, scope: Scope, { limit, after }: NewestQuery): MatchRow[] {
    const { condition, position } = olderThan(after);
    return this.#all(
      `SELECT ${matchColumns} ${fromMatches(matching, scope)} ${condition} ${newest}`,
      ...matchValues(matching, scope),
      ...position,
      limit,
    );
  }

  /**
   * Finds the newest of very many matches. Each of the three strategies is slow for some data, so the cheapest to try
   * comes first. Times were measured with 1,000,000 messages of 80 characters:
   *
   * 1. Reading messages backwards is fastest (1 to 3 µs a message) when matches are frequent among the newest. It took
   *    1.3 s when the newest 1,000,000 had none, so it stops once the rate of matches predicts reading too many.
   * 2. Sorting all matches takes 1 µs for each, wherever they are. It is used for up to 100,000 matches, 0.1 s.
   * 3. Otherwise SQLite collects the ids of all matches (0.3 µs each) and scans the index by time (0.15 µs a message)
   *    until it has found enough of these ids. So 1,000,000 messages take at most 0.45 s, whatever they contain.
   */
  ofMany(matching: Matching, scope: Scope, query: NewestQuery): MatchRow[] {
    const read = this.#readBackwards(matching, scope, query);
    if (read) return read;
    return this.#isMore(matching, scope, this.#budgets.maxSorted)
      ? this.#scannedByTime(matching, scope, query)
      : this.sorted(matching, scope, query);
  }

  /** @returns undefined when it stopped before the page was full */
  #readBackwards({ folded }: Matching, { application }: Scope, { limit, after }: NewestQuery): MatchRow[] | undefined {
    const { condition, position } = olderThan(after);
    const reading = { contains: containing(folded), wanted: limit, read: 0, found: 0, stopped: false };
    this.#reading = reading;
    const rows = this.#database
      .prepare(
        `SELECT ${matchColumns} FROM search_documents d WHERE d.application = ? AND d.body IS NOT NULL ${condition}
         AND found_or_stopped(d.body) ${newest}`,
      )
      .iterate(application, ...position, limit);
    const found: MatchRow[] = [];
    for (const row of rows) {
      if (reading.stopped) return undefined;
      found.push(row as unknown as MatchRow);
    }
    return found;
  }

  #foundOrStopped(body: string): number {
    const reading = this.#reading;
    reading.read += 1 + body.length / unitsPerText;
    if (reading.contains(fold(body))) {
      reading.found++;
      return 1;
    }
    const { wanted, read, found } = reading;
    const { minRead, maxRead } = this.#budgets;
    reading.stopped ||= read >= minRead && read * wanted > maxRead * (found + 1);
    return Number(reading.stopped);
  }

  #isMore(matching: Matching, scope: Scope, count: number): boolean {
    const statement = `SELECT count(*) AS count FROM (SELECT 1 ${fromIndex(matching, scope)} LIMIT ?)`;
    const counted = this.#database.prepare(statement).get(...indexValues(matching, scope), count + 1);
    return Number(counted?.count) > count;
  }

  #scannedByTime(matching: Matching, scope: Scope, { limit, after }: NewestQuery): MatchRow[] {
    const { condition, position } = olderThan(after);
    // The plus keeps SQLite from fetching the documents by these ids, which are not in the order of time.
    return this.#all(
      `SELECT ${matchColumns} FROM search_documents d INDEXED BY search_documents_by_time
       WHERE d.application = ? AND d.body IS NOT NULL ${condition}
       AND +d.id IN (SELECT t.rowid ${fromIndex(matching, scope)})
       ${matching.verify ? `AND ${matching.verify}` : ''} ${newest}`,
      scope.application,
      ...position,
      ...indexValues(matching, scope),
      ...(matching.verify ? [matching.folded] : []),
      limit,
    );
  }

  #all(statement: string, ...parameters: (string | number | bigint)[]): MatchRow[] {
    return this.#database.rows(statement, parameters);
  }
}

/** Returns the SQL condition that a document `d` comes after a position, and its parameters. */
export function olderThan(after: SearchPosition | undefined): { condition: string; position: number[] } {
  if (!after) return { condition: '', position: [] };
  // The second comparison implies the first. The first is there so that SQLite starts at the position instead of at the
  // newest document.
  return {
    condition: `AND d.created_at <= ? AND (d.created_at, d.chat, ${numberOf('d.id')}) < (?, ?, ?)`,
    position: [after.createdAt, after.createdAt, after.chat, after.number],
  };
}
