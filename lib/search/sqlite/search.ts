import { limits } from '../../limits.ts';
import { contentOf } from '../../model/content.ts';
import type { Database } from '../../sqlite/database.ts';
import type { SearchMatch, SearchPage, SearchPosition, SearchQuery } from '../search-index.ts';
import { fold } from '../text/fold.ts';
import { fewMatches, newestCandidates } from './candidates.ts';
import { containing } from './containing.ts';
import { fewTrigramsAnywhere } from './few-trigrams.ts';
import { type IndexedChat, inRange, numberOf, rangeOf, type Scope, scopeOf } from './ids.ts';
import { type KeptCount, KeptCounts } from './kept-counts.ts';
import {
  fromIndex,
  fromMatches,
  indexValues,
  isChat,
  type Matching,
  type MatchRow,
  matchColumns,
  matchingOf,
  matchValues,
} from './matching.ts';
import { type Budgets, NewestMatches, olderThan, usualBudgets } from './newest.ts';
import { isCrowded, type Sample, sampleOf } from './sample.ts';

type Query = Omit<SearchQuery, 'token' | 'chat'> & {
  /** Texts of the scope; undefined for a short query. */
  sample?: Sample | undefined;
};

/**
 * A query of at least this many code points has too many trigrams to scan all their lists, so the texts are sampled.
 */
const manyPoints = 5;

const nothing: SearchPage = { matches: [], more: false, total: 0, totalIsMinimum: false };

/** Searches the tables that {@link SqliteSearchIndex} writes. */
export class SqliteSearch {
  readonly #database: Database;
  readonly #exactTotal: number;
  readonly #newest: NewestMatches;
  readonly #keptCounts = new KeptCounts();

  /** @param options lower limits for tests, so that few messages exceed them */
  constructor(
    database: Database,
    { exactTotal = limits.exactTotal, budgets = usualBudgets }: { exactTotal?: number; budgets?: Budgets } = {},
  ) {
    this.#database = database;
    this.#exactTotal = exactTotal;
    this.#newest = new NewestMatches(database, budgets);
    let latest = { folded: '', contains: containing('') };
    database.raw.function('contains_folded', { deterministic: true }, (body, folded) => {
      const query = String(folded);
      if (latest.folded !== query) latest = { folded: query, contains: containing(query) };
      return Number(latest.contains(fold(String(body))));
    });
  }

  search(query: SearchQuery): SearchPage {
    // No text contains U+0000, and SQLite would truncate the query there.
    if (query.q.includes('\0')) return nothing;
    return this.#inSnapshot(() => {
      const scope = scopeOf(this.#database, query.token, query.chat);
      return scope ? this.#searchScope(scope, query) : nothing;
    });
  }

  /**
   * Runs the statements of a search in one read transaction. The page and the total then see the same snapshot, and
   * SQLite locks the file once instead of four times (2 µs each).
   */
  #inSnapshot<Result>(work: () => Result): Result {
    this.#database.prepare('BEGIN').run();
    try {
      return work();
    } finally {
      // Some SQLite errors end the transaction themselves.
      if (this.#database.raw.isTransaction) this.#database.prepare('COMMIT').run();
    }
  }

  #searchScope(scope: Scope, query: Query): SearchPage {
    const folded = fold(query.q);
    const sample = [...folded].length < manyPoints ? undefined : sampleOf(this.#database, scope);
    const sampled = { ...query, sample };
    const kept = this.#keptCounts.get(scope, folded);
    const few = sample && !kept && fewMatches(this.#database, { scope, folded }, sample);
    if (few) return this.#page(sortedPage(few, query, scope), query.limit, few.length);
    const matching = matchingOf(folded, scope, conditionInstead(folded, sample));
    const total = kept && this.#totalFrom(kept, matching, scope);
    if (total !== undefined) return this.#page(this.#newestOf(matching, scope, sampled), query.limit, total);
    if (matching.verify) return this.#searchTexts(matching, scope, sampled);
    return isChat(scope)
      ? this.#searchChat(matching, scope, sampled)
      : this.#searchApplication(matching, scope, sampled);
  }

  /**
   * Returns the number of matches from a kept count: in a chat, it adds those in newer messages. Undefined when the index
   * alone cannot count these.
   */
  #totalFrom(kept: KeptCount, matching: Matching, scope: Scope): number | undefined {
    if (kept.count > this.#exactTotal) return kept.count;
    if (matching.verify || !isChat(scope)) return undefined;
    const to = this.#highestNumber(scope);
    if (to > kept.to) kept.count += this.#count(matching, scope, { after: kept.to });
    kept.to = to;
    return kept.count;
  }

  /**
   * Searches when candidates must be verified against their texts. Collects the ids of the matches up to the highest
   * exact total, so that no text is compared twice, once for the count and once for the page.
   */
  #searchTexts(matching: Matching, scope: Scope, query: Query): SearchPage {
    const { limit, after } = query;
    const statement = this.#database.prepare(`SELECT t.rowid AS id ${fromMatches(matching, scope)} LIMIT ?`);
    statement.setReadBigInts(true);
    const ids = statement.all(...matchValues(matching, scope), this.#exactTotal + 1).map(({ id }) => id as bigint);
    if (ids.length > this.#exactTotal) {
      this.#keep(matching, scope, ids.length);
      return this.#page(this.#newestOf(matching, scope, query), limit, ids.length);
    }
    const { condition, position } = isChat(scope) ? beforeNumber(after) : olderThan(after);
    const rows = this.#rows(
      `FROM json_each(?) found CROSS JOIN search_documents d ON d.id = found.value WHERE d.application = ? ${condition}
       ORDER BY ${isChat(scope) ? 'd.id DESC' : 'd.created_at DESC, d.chat DESC, d.id DESC'} LIMIT ?`,
      `[${ids.join()}]`,
      scope.application,
      ...position,
      limit + 1,
    );
    return this.#page(rows, limit, ids.length);
  }

  /** Searches one chat. When the first page is the only one, it has all matches, so no count is needed. */
  #searchChat(matching: Matching, scope: Scope & IndexedChat, query: Query): SearchPage {
    const { limit, after } = query;
    const rows = this.#newestOfChat(matching, scope, query);
    if (!after && rows.length <= limit) return this.#page(rows, limit, rows.length);
    const total = this.#count(matching, scope);
    this.#keep(matching, scope, total);
    return this.#page(rows, limit, total);
  }

  #searchApplication(matching: Matching, scope: Scope, query: Query): SearchPage {
    const { limit, after } = query;
    const total = this.#count(matching, scope);
    if (total <= this.#exactTotal)
      return this.#page(this.#newest.sorted(matching, scope, { limit: limit + 1, after }), limit, total);
    this.#keep(matching, scope, total);
    return this.#page(this.#newestOf(matching, scope, query), limit, total);
  }

  #keep(matching: Matching, scope: Scope, count: number): void {
    this.#keptCounts.set(scope, matching.folded, { count, to: isChat(scope) ? this.#highestNumber(scope) : 0 });
  }

  /**
   * Returns the matches of a page, and one more if there is a next page. In an application, it is fast only if there are
   * very many matches.
   */
  #newestOf(matching: Matching, scope: Scope, query: Query): MatchRow[] {
    return isChat(scope)
      ? this.#newestOfChat(matching, scope, query)
      : this.#newest.ofMany(matching, scope, { limit: query.limit + 1, after: query.after });
  }

  #newestOfChat(matching: Matching, scope: Scope & IndexedChat, { limit, after, sample }: Query): MatchRow[] {
    const page = { to: after ? after.number - 1 : limits.highestNumber, wanted: limit + 1 };
    const { verify, folded } = matching;
    const read =
      sample &&
      !verify &&
      newestCandidates(
        this.#database,
        { scope, folded, ...page, to: Math.min(page.to, this.#highestNumber(scope)) },
        sample,
      );
    return (
      read ||
      this.#rows(
        `${fromMatches(matching, scope)} ORDER BY t.rowid DESC LIMIT ?`,
        ...matchValues(matching, scope, page),
        page.wanted,
      )
    );
  }

  /**
   * @param rows the matches of the page, and at least one more when there is a next page
   * @param total the number of matches on all pages
   */
  #page(rows: MatchRow[], limit: number, total: number): SearchPage {
    return {
      matches: rows.slice(0, limit).map(
        (row): SearchMatch => ({
          chat: row.chat,
          number: row.number,
          content: contentOf(row),
          createdAt: row.createdAt,
          updatedAt: row.updatedAt,
        }),
      ),
      more: rows.length > limit,
      total: Math.min(total, this.#exactTotal),
      totalIsMinimum: total > this.#exactTotal,
    };
  }

  #rows(fromWhere: string, ...parameters: (string | number | bigint)[]): MatchRow[] {
    return this.#database.rows(`SELECT ${matchColumns} ${fromWhere}`, parameters);
  }

  /** Counts the rows that the index finds, up to one more than the highest exact total. */
  #count(matching: Matching, scope: Scope, numbers?: { after: number }): number {
    const statement = `SELECT count(*) AS count FROM (SELECT 1 ${fromIndex(matching, scope)} LIMIT ?)`;
    const counted = this.#database
      .prepare(statement)
      .get(...indexValues(matching, scope, numbers), this.#exactTotal + 1);
    return Number(counted?.count);
  }

  /** Returns the highest message number of a chat in the index. */
  #highestNumber(chat: IndexedChat): number {
    const statement = `SELECT ${numberOf('id')} AS number FROM search_documents WHERE ${inRange('id')}
      ORDER BY id DESC LIMIT 1`;
    return Number(this.#database.prepare(statement).get(...rangeOf(chat))?.number ?? 0);
  }
}

/**
 * Returns an FTS5 condition that compares no positions, if comparing positions would take longer than comparing the
 * texts with the query; otherwise undefined, so that a phrase is used.
 */
function conditionInstead(folded: string, sample: Sample | undefined): string | undefined {
  if (sample) return isCrowded(folded, sample) ? fewTrigramsAnywhere(folded, sample.texts) : undefined;
  // A query of four code points such as `abab` is not sampled, because a sample costs 0.2 ms. A text that contains it
  // probably repeats it many times, so assume so.
  const [a, b, c, d] = [...folded];
  return d !== undefined && a === c && b === d ? fewTrigramsAnywhere(folded, []) : undefined;
}

const beforeNumber = (after: SearchPosition | undefined): { condition: string; position: number[] } =>
  after ? { condition: `AND ${numberOf('d.id')} < ?`, position: [after.number] } : { condition: '', position: [] };

/** Returns the matches of a page and all older ones, newest first. `all` is every match, in any order. */
function sortedPage(all: MatchRow[], { after }: Query, scope: Scope): MatchRow[] {
  const newestFirst = (a: SearchPosition, b: SearchPosition) =>
    (isChat(scope) ? 0 : b.createdAt - a.createdAt || b.chat - a.chat) || b.number - a.number;
  return all.filter((match) => !after || newestFirst(after, match) < 0).sort(newestFirst);
}
