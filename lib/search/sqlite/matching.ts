import { contentNames, type MessageContent } from '../../model/content.ts';
import type { SearchPosition } from '../search-index.ts';
import { hasOtherCases } from '../text/fold.ts';
import { quoted } from './few-trigrams.ts';
import { grams } from './grams.ts';
import { chatValues, type IndexedChat, inRange, numberOf, ofChat, rangeOf, type Scope } from './ids.ts';

/** Returns an application's ordinal as exactly one trigram: three digits in base 4096. */
export const applicationTrigram = (ordinal: number): string =>
  [ordinal >> 24, (ordinal >> 12) & 4095, ordinal & 4095].map((digit) => String.fromCodePoint(0x4e00 + digit)).join('');
/** Three digits of {@link applicationTrigram}. */
const threeDigits = /[\u4e00-\u5dff]{3}/;
/** Returns an application's ordinal as a gram. No other gram begins with `y`, which is not a hexadecimal digit. */
export const applicationGram = (ordinal: number): string => `y${ordinal.toString(16)}`;

/** SQLite reads U+FFFE and U+FFFF as U+FFFD. Its index cannot tell the three apart, so the text must be compared. */
const confused = /[\uFFFD-\uFFFF]/;

/**
 * A phrase has at most this many code points of a query, because FTS5 scans the list of each trigram. Few texts contain
 * the phrase but not the rest of the query, so it is cheap to check whether each found text contains the whole query.
 */
const longestPhrase = 18;

export const isChat = (scope: Scope): scope is Scope & IndexedChat => 'ordinal' in scope;

/** How one query finds its documents in one of the two full-text tables. */
export interface Matching {
  table: 'search_trigrams' | 'search_grams';
  /** The condition in FTS5's query language. */
  match: string;
  /** The SQL condition that a document `d` contains the query; undefined when the index is exact. */
  verify: string | undefined;
  /** The query, folded. */
  folded: string;
}

/**
 * Returns an FTS5 condition on the trigrams of a folded body. Unless the scope is a chat, it names the application too.
 *
 * It names the column of the body only if a trigram of the query may be in the other column, which has the trigram of
 * the application. If the column is named, FTS5 must find the positions in this column, which takes 15 ns for each
 * text.
 *
 * @param condition a condition on some of the query's trigrams
 */
export function inBody(condition: string, { folded, scope }: { folded: string; scope: Scope }): string {
  const body = threeDigits.test(folded) ? `body : (${condition})` : `(${condition})`;
  return isChat(scope) ? body : `application : "${applicationTrigram(scope.application)}" AND ${body}`;
}

/**
 * Returns how a folded query finds its documents.
 *
 * No phrase contains a trigram twice. FTS5 reads the position list of every trigram of a phrase. A position in a text
 * has one trigram, so the lists of distinct trigrams are together at most as long as the text. A phrase of 16 equal
 * trigrams reads the same list 16 times: 4 s for 6,000 messages of 10,000 equal characters.
 *
 * @param condition a necessary condition in FTS5's query language, used instead of a phrase
 */
export function matchingOf(folded: string, scope: Scope, condition?: string): Matching {
  const points = [...folded];
  if (points.length < 3) {
    // The last gram is the longest: the pair, or the only code point.
    const gram = `"${grams(folded).at(-1)}"`;
    const match = isChat(scope) ? gram : `"${applicationGram(scope.application)}" AND ${gram}`;
    return { table: 'search_grams', match, verify: confused.test(folded) ? verifying(folded) : undefined, folded };
  }
  const phrase = distinctPhrase(points);
  const exact = condition === undefined && phrase === folded && !confused.test(folded);
  return {
    table: 'search_trigrams',
    match: inBody(condition ?? quoted(phrase), { folded, scope }),
    verify: exact ? undefined : verifying(folded),
    folded,
  };
}

/** Returns the longest part of a text in which no trigram repeats, at most {@link longestPhrase} code points. */
export function distinctPhrase(points: string[]): string {
  const lastAt = new Map<string, number>();
  let [first, longest] = [0, points.slice(0, 3)];
  for (let at = 0; at + 3 <= points.length && longest.length < longestPhrase; at++) {
    const trigram = points.slice(at, at + 3).join('');
    first = Math.max(first, (lastAt.get(trigram) ?? -1) + 1);
    lastAt.set(trigram, at);
    if (at + 3 - first > longest.length) longest = points.slice(first, at + 3);
  }
  return longest.join('');
}

/**
 * Returns the SQL condition that compares a text with the query. When no character of the query has another case, and
 * some are not ASCII, `instr` searches the text's bytes: that takes a tenth of the time of converting a long text to
 * UTF-16.
 */
const verifying = (folded: string): string =>
  /[^\0-\x7f]/.test(folded) && !hasOtherCases(folded) ? 'instr(d.body, ?) > 0' : 'contains_folded(d.body, ?)';

/** A match as a statement returns it. */
export type MatchRow = SearchPosition & MessageContent & { updatedAt: number };

/** The columns of a {@link MatchRow}, selected from the documents `d`. */
export const matchColumns = [
  'd.chat',
  `${numberOf('d.id')} AS number`,
  ...contentNames.map((member) => `d.${member}`),
  'd.created_at AS createdAt',
  'd.updated_at AS updatedAt',
].join(', ');

/**
 * Returns the FROM clause of the index rows `t` in scope that may match; {@link indexValues} returns its parameters.
 */
export const fromIndex = ({ table }: Matching, scope: Scope): string =>
  `FROM ${table} t WHERE ${table} MATCH ? ${isChat(scope) ? `AND ${ofChat('t.rowid')}` : ''}`;

export const indexValues = (
  { match }: Matching,
  scope: Scope,
  numbers?: { after: number },
): (string | number | bigint)[] => (isChat(scope) ? [match, ...chatValues(scope, numbers)] : [match]);

/**
 * Returns the FROM clause of the matches: rows `t` of the index with their documents `d`. {@link matchValues} returns
 * its parameters. The application and chat are checked in the document's own columns.
 */
export const fromMatches = ({ table, verify }: Matching, scope: Scope): string =>
  `FROM ${table} t JOIN search_documents d ON d.id = t.rowid WHERE ${table} MATCH ?
   ${isChat(scope) ? `AND ${inRange('t.rowid')} AND d.chat = ?` : ''} AND d.application = ?
   ${verify ? `AND ${verify}` : ''}`;

export const matchValues = (
  { match, verify, folded }: Matching,
  scope: Scope,
  numbers?: { to: number },
): (string | number | bigint)[] => [
  match,
  ...(isChat(scope) ? [...rangeOf(scope, numbers), scope.chat] : []),
  scope.application,
  ...(verify ? [folded] : []),
];
