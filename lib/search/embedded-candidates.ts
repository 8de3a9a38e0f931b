import { limits } from '../limits.ts';
import type { Database } from '../sqlite/database.ts';
import { inBody, matchColumns, type Scope } from './embedded-matching.ts';
import { fewTrigrams } from './few-trigrams.ts';
import { fold } from './fold.ts';
import type { SearchMatch } from './search-index.ts';

/** Of so many places in the scope … */
const samplePlaces = 8;
/** … so many texts that follow one another there, for they are on the same page of the file … */
const textsPerPlace = 16;
/** … and of each its beginning. A sample takes 0.2 ms. */
const sampleCharacters = 200;

/** A statement for each text takes twice as long as one for so many of them. */
const textsAtATime = 500;

/** A text that several of the sample hold is so common that its first matches are found at once. */
const commonInSample = 2;

/**
 * All matches of a text, where they can be told by reading few texts: those that have some of its trigrams near each other
 * ({@link fewTrigrams}). Where all trigrams are common and the whole is rare, that is ten times faster than the phrase.
 *
 * @returns in any order; undefined where the index alone should decide
 */
export function fewMatches(database: Database, scope: Scope, folded: string): SearchMatch[] | undefined {
  const sample = sampleOf(database, scope);
  if (sample.filter((text) => text.includes(folded)).length >= commonInSample) return undefined;
  const candidates = candidatesOf(database, scope, fewTrigrams(folded, sample));
  if (candidates.length > limits.candidates.texts) return undefined;
  const texts = database.prepare(
    `SELECT ${matchColumns} FROM json_each(?) candidate CROSS JOIN search_documents d ON d.id = candidate.value
     WHERE d.body IS NOT NULL`,
  );
  const matches: SearchMatch[] = [];
  let characters = 0;
  for (let i = 0; i < candidates.length; i += textsAtATime) {
    const read = texts.all(`[${candidates.slice(i, i + textsAtATime).join()}]`) as unknown as SearchMatch[];
    for (const { body } of read) characters += body.length;
    if (characters > limits.candidates.characters) return undefined;
    matches.push(...read.filter(({ body }) => fold(body).includes(folded)));
  }
  return matches;
}

/** The ids that meet a condition, up to one more than are read; not the last first, for FTS5 is slower backwards. */
function candidatesOf(database: Database, { application, chat }: Scope, condition: string): bigint[] {
  const statement = database.prepare(
    `SELECT rowid FROM search_trigrams WHERE search_trigrams MATCH ? ${chat ? 'AND rowid BETWEEN ? AND ?' : ''} LIMIT ?`,
  );
  statement.setReadBigInts(true);
  const values = chat ? [inBody(condition), chat.first, chat.last] : [inBody(condition, application)];
  return statement.all(...values, limits.candidates.texts + 1).map(({ rowid }) => rowid as bigint);
}

/** Folded texts from all over the scope: by number in a chat, by time in an application. */
function sampleOf(database: Database, { application, chat }: Scope): string[] {
  const [column, where, ...values] = chat
    ? ['id', 'id BETWEEN ? AND ?']
    : ['created_at', 'application = ? AND body IS NOT NULL AND created_at BETWEEN ? AND ?', application];
  const rows = `FROM search_documents WHERE ${where} ORDER BY ${column}`;
  const end = (order: 'ASC' | 'DESC') => {
    const statement = database.prepare(`SELECT ${column} AS place ${rows} ${order} LIMIT 1`);
    statement.setReadBigInts(true);
    const { first, last } = chat ?? { first: 0n, last: BigInt(Number.MAX_SAFE_INTEGER) };
    return statement.get(...values, first, last)?.place as bigint | undefined;
  };
  const [first, last] = [end('ASC'), end('DESC')];
  if (first === undefined || last === undefined) return [];
  const texts = database.prepare(`SELECT substr(body, 1, ${sampleCharacters}) AS text ${rows} LIMIT ${textsPerPlace}`);
  const step = (last - first) / BigInt(samplePlaces) + 1n;
  return Array.from({ length: samplePlaces }, (_, i) => first + BigInt(i) * step).flatMap((place) =>
    texts.all(...values, place, place + step - 1n).flatMap(({ text }) => (text === null ? [] : [fold(String(text))])),
  );
}
