import { limits } from '../limits.ts';
import type { Database } from '../sqlite/database.ts';
import { fewMatches } from './embedded-candidates.ts';
import { documentId, largestNumber } from './embedded-ids.ts';
import { from, type Matching, matchColumns, matchingOf, parameters, type Scope } from './embedded-matching.ts';
import { fold } from './fold.ts';
import type { SearchMatch, SearchPage, SearchPosition, SearchQuery } from './search-index.ts';

type Query = Omit<SearchQuery, 'token' | 'chat'>;

/** From so many code points on, a text has more trigrams than are worth walking through. */
const manyPoints = 5;

/** Searches in what {@link EmbeddedSearchIndex} holds. */
export class EmbeddedSearch {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
    database.raw.function('contains_folded', { deterministic: true }, (body, folded) =>
      Number(fold(String(body)).includes(String(folded))),
    );
  }

  search({ token, chat, ...query }: SearchQuery): SearchPage {
    const nothing = { matches: [], more: false, total: 0, totalIsMinimum: false };
    // No text has U+0000, and SQLite would end the query there.
    if (query.q.includes('\0')) return nothing;
    const scope = this.#scope(token, chat);
    if (!scope) return nothing;
    const folded = fold(query.q);
    const few = [...folded].length < manyPoints ? undefined : fewMatches(this.#database, scope, folded);
    if (few) return pageOf(few, query, scope);
    return scope.chat
      ? this.#searchChat(scope.chat, folded, query)
      : this.#searchApplication(scope.application, folded, query);
  }

  #scope(token: string, chat?: number): Scope | undefined {
    const application = this.#get<{ ordinal: number }>(
      'SELECT ordinal FROM search_applications WHERE token = ?',
      token,
    );
    if (!application || chat === undefined) return application && { application: application.ordinal };
    const ordinal = this.#get<{ ordinal: number }>(
      'SELECT ordinal FROM search_chats WHERE application = ? AND chat = ?',
      application.ordinal,
      chat,
    )?.ordinal;
    if (ordinal === undefined) return undefined;
    return {
      application: application.ordinal,
      chat: { first: documentId(ordinal, 0), last: documentId(ordinal, Number(largestNumber)) },
    };
  }

  /** A first page that is the only one has been all. */
  #searchChat({ first, last }: NonNullable<Scope['chat']>, folded: string, { limit, after }: Query): SearchPage {
    const matching = matchingOf(folded);
    const rows = this.#rows(
      `${from(matching)} AND t.rowid BETWEEN ? AND ? ORDER BY t.rowid DESC LIMIT ?`,
      ...parameters(matching),
      first,
      after ? first + BigInt(after.number) - 1n : last,
      limit + 1,
    );
    const all = !after && rows.length <= limit;
    return page(rows, limit, all ? rows.length : this.#count(matching, 'AND t.rowid BETWEEN ? AND ?', first, last));
  }

  /**
   * The matches of an application are wanted by time, which is not the order of the index. Few matches are all fetched
   * and sorted; when they are too many to count, they are dense enough to be met by reading the messages backwards.
   */
  #searchApplication(application: number, folded: string, { limit, after }: Query): SearchPage {
    const matching = matchingOf(folded, application);
    const total = this.#count(matching, '');
    const older = after ? 'AND (d.created_at, d.chat, d.id & ?) < (?, ?, ?)' : '';
    const position = after ? [largestNumber, after.createdAt, after.chat, after.number] : [];
    const newest = 'ORDER BY d.created_at DESC, d.chat DESC, d.id DESC LIMIT ?';
    const rows =
      total <= limits.exactTotal
        ? this.#rows(`${from(matching)} ${older} ${newest}`, ...parameters(matching), ...position, limit + 1)
        : this.#rows(
            `FROM search_documents d WHERE d.application = ? AND d.body IS NOT NULL
             AND contains_folded(d.body, ?) ${older} ${after ? 'AND d.created_at <= ?' : ''} ${newest}`,
            application,
            folded,
            ...position,
            ...(after ? [after.createdAt] : []),
            limit + 1,
          );
    return page(rows, limit, total);
  }

  #rows(fromWhere: string, ...values: (string | number | bigint)[]): SearchMatch[] {
    return this.#database.prepare(`SELECT ${matchColumns} ${fromWhere}`).all(...values) as unknown as SearchMatch[];
  }

  /** Counts the matches, up to one more than are counted exactly. */
  #count(matching: Matching, where: string, ...values: bigint[]): number {
    const counted = this.#get<{ count: number }>(
      `SELECT count(*) AS count FROM (SELECT 1 ${from(matching, !matching.verify)} ${where} LIMIT ?)`,
      ...parameters(matching),
      ...values,
      limits.exactTotal + 1,
    );
    return counted?.count ?? 0;
  }

  #get<Result>(text: string, ...values: (string | number | bigint)[]): Result | undefined {
    return this.#database.prepare(text).get(...values) as Result | undefined;
  }
}

/** A page of all matches, which come in any order. */
function pageOf(all: SearchMatch[], { limit, after }: Query, { chat }: Scope): SearchPage {
  const newestFirst = (a: SearchPosition, b: SearchPosition) =>
    (chat ? 0 : b.createdAt - a.createdAt || b.chat - a.chat) || b.number - a.number;
  const rows = all.filter((match) => !after || newestFirst(after, match) < 0).sort(newestFirst);
  return page(rows, limit, all.length);
}

const page = (rows: SearchMatch[], limit: number, total: number): SearchPage => ({
  matches: rows
    .slice(0, limit)
    .map(({ chat, number, body, createdAt, updatedAt }): SearchMatch => ({ chat, number, body, createdAt, updatedAt })),
  more: rows.length > limit,
  total: Math.min(total, limits.exactTotal),
  totalIsMinimum: total > limits.exactTotal,
});
