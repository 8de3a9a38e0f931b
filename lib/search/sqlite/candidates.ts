import { limits } from '../../limits.ts';
import type { Database } from '../../sqlite/database.ts';
import { fold } from '../text/fold.ts';
import { containing } from './containing.ts';
import { fewTrigrams } from './few-trigrams.ts';
import { chatValues, ofChat, type Scope } from './ids.ts';
import { inBody, isChat, type MatchRow, matchColumns } from './matching.ts';
import type { Sample } from './sample.ts';

/** The number of texts that one statement reads. One statement for each text takes twice as long. */
const textsAtATime = 500;

/** If this many sampled texts contain the query, it is so common that the index finds the first page at once. */
const commonInSample = 2;

/**
 * Finds all matches by reading few texts: only those that have some trigrams of the query near each other, see
 * {@link fewTrigrams}. When all trigrams are common and the whole query is rare, this is ten times faster than a phrase
 * query.
 *
 * @returns the matches in any order; undefined when too many texts would be read, so that a phrase query is better
 */
export function fewMatches(
  database: Database,
  { scope, folded }: { scope: Scope; folded: string },
  { texts: sample, meanLength }: Sample,
): MatchRow[] | undefined {
  if (sample.filter((text) => text.includes(folded)).length >= commonInSample) return undefined;
  const most = Math.min(limits.candidates.texts, Math.ceil(limits.candidates.characters / meanLength));
  const candidates = candidatesOf(
    database,
    { scope, match: inBody(fewTrigrams(folded, sample), { folded, scope }) },
    most + 1,
  );
  if (candidates.length > most) return undefined;
  const texts = database.prepare(
    `SELECT ${matchColumns} FROM json_each(?) candidate CROSS JOIN search_documents d ON d.id = candidate.value
     WHERE d.application = ? AND d.body IS NOT NULL`,
  );
  const matches: MatchRow[] = [];
  const contains = containing(folded);
  let characters = 0;
  for (let i = 0; i < candidates.length; i += textsAtATime) {
    const ids = `[${candidates.slice(i, i + textsAtATime).join()}]`;
    const read = texts.all(ids, scope.application) as unknown as MatchRow[];
    for (const { body } of read) characters += body.length;
    if (characters > limits.candidates.characters) return undefined;
    matches.push(...read.filter(({ body }) => contains(fold(body))));
  }
  return matches;
}

/** Returns up to `limit` ids that meet a condition, lowest first, because FTS5 is slower backwards. */
function candidatesOf(database: Database, { scope, match }: { scope: Scope; match: string }, limit: number): bigint[] {
  const statement = database.prepare(
    `SELECT rowid FROM search_trigrams WHERE search_trigrams MATCH ? ${isChat(scope) ? `AND ${ofChat('rowid')}` : ''}
     LIMIT ?`,
  );
  statement.setReadBigInts(true);
  const chat = isChat(scope) ? chatValues(scope) : [];
  return statement.all(match, ...chat, limit).map(({ rowid }) => rowid as bigint);
}
