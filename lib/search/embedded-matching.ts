import { largestNumber } from './embedded-ids.ts';
import { grams } from './grams.ts';

/** An application's ordinal as exactly one trigram, in digits of base 4096. */
export const applicationTrigram = (ordinal: number): string =>
  [ordinal >> 24, (ordinal >> 12) & 4095, ordinal & 4095].map((digit) => String.fromCodePoint(0x4e00 + digit)).join('');
/** The same among the grams; `y` is no hexadecimal digit. */
export const applicationGram = (ordinal: number): string => `y${ordinal.toString(16)}`;

/** SQLite reads these two as U+FFFD, so its index can't tell the three apart and the text itself decides. */
const confused = /[\uFFFD-\uFFFF]/;

/**
 * So many code points of a text are asked of the index, for it walks through the list of each trigram. Hardly a text has
 * these and not the rest, so the few that are found are held against all of it.
 */
const longestPhrase = 18;

/** Where a search looks: in an application, or in one of its chats, which is a range of ids. */
export interface Scope {
  /** The application's ordinal. */
  application: number;
  chat?: { first: bigint; last: bigint };
}

/** How one query finds its documents in one of the two full-text tables. */
export interface Matching {
  table: 'search_trigrams' | 'search_grams';
  /** The condition in FTS5's query language. */
  match: string;
  /** Whether what the index finds must be held against the text. */
  verify: boolean;
  /** The query, folded. */
  folded: string;
}

/** A condition on trigrams, in FTS5's query language, for folded bodies; those of one application, where that is given. */
export function inBody(condition: string, application?: number): string {
  const body = `body : ${condition}`;
  return application === undefined ? body : `application : "${applicationTrigram(application)}" AND ${body}`;
}

/** How a folded query finds its documents; those of one application, where that is given. */
export function matchingOf(folded: string, application?: number): Matching {
  const points = [...folded];
  const verify = confused.test(folded) || points.length > longestPhrase;
  if (points.length >= 3) {
    const phrase = points.slice(0, longestPhrase).join('');
    const match = inBody(`"${phrase.replaceAll('"', '""')}"`, application);
    return { table: 'search_trigrams', match, verify, folded };
  }
  // The last gram is the longest: the pair, or the only code point.
  const gram = `"${grams(folded).at(-1)}"`;
  const match = application === undefined ? gram : `"${applicationGram(application)}" AND ${gram}`;
  return { table: 'search_grams', match, verify, folded };
}

/** A match, of the documents `d`. */
export const matchColumns = `d.chat, d.id & ${largestNumber} AS number, d.body, d.created_at AS createdAt, d.updated_at AS updatedAt`;

/** The source of the rows `t` (of the index) and, unless the index alone decides, `d` (the documents). */
export const from = ({ table, verify }: Matching, indexAlone = false): string =>
  indexAlone
    ? `FROM ${table} t WHERE ${table} MATCH ?`
    : `FROM ${table} t JOIN search_documents d ON d.id = t.rowid WHERE ${table} MATCH ?
       ${verify ? 'AND contains_folded(d.body, ?)' : ''}`;

/** What stands for the question marks of {@link from}. */
export const parameters = ({ match, verify, folded }: Matching): string[] => (verify ? [match, folded] : [match]);
