import { limits } from '../../limits.ts';
import type { Database } from '../../sqlite/database.ts';
import { fold } from '../text/fold.ts';
import { containing } from './containing.ts';
import { fewTrigrams } from './few-trigrams.ts';
import { chatValues, type IndexedChat, inRange, ofChat, rangeOf, type Scope } from './ids.ts';
import { inBody, isChat, type MatchRow, matchColumns } from './matching.ts';
import type { Sample } from './sample.ts';

/** The number of texts that one statement reads. One statement for each text takes twice as long. */
const textsAtATime = 500;

/** If this many sampled texts contain the query, it is so common that the index finds the first page at once. */
const commonInSample = 2;

/**
 * Trigrams of the condition that finds a page. A third one would exclude few texts. Among 10,000,000 messages, it takes
 * FTS5 a third of the time of a page to find the chat in its list.
 */
const trigramsOfPage = 2;

/** Texts that are read in addition to those of a full page, because some may not contain the query. */
const spareTexts = 20;

/** A page is looked for in this many times as many messages as the sample says that it needs. */
const reach = 8;

/**
 * Maximum number of characters that are compared to find a page. Folding and comparing them takes at most 10 ms: 0.2 µs for
 * each upper-case letter outside of ASCII, and much less for others.
 */
const charactersOfPage = 50_000;

/** Returns the number of sampled texts that contain the query. */
const matchesIn = ({ texts }: Sample, folded: string): number => texts.filter((text) => text.includes(folded)).length;

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
  sample: Sample,
): MatchRow[] | undefined {
  if (matchesIn(sample, folded) >= commonInSample) return undefined;
  const most = Math.min(limits.candidates.texts, Math.ceil(limits.candidates.characters / sample.meanLength));
  const candidates = candidatesOf(
    database,
    { scope, match: inBody(fewTrigrams(folded, sample.texts), { folded, scope }) },
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

/**
 * Finds the newest matches of a chat if the query is common: reads only the newest texts that have two trigrams of the
 * query near each other. A phrase query reads the lists of all trigrams. Among 10,000,000 messages, FTS5 takes 1 to 2 ms
 * for each list to get backwards from the newest message of all chats to a chat, because it parses a part of the list's
 * index of pages again for each page.
 *
 * The messages and characters that it looks at are limited, because the sample may be misleading.
 *
 * @param query.to the highest number of a match, at most that of the newest message
 * @returns newest first; undefined when the query is not common, or these texts have fewer than `wanted` matches
 */
export function newestCandidates(
  database: Database,
  { scope, folded, to, wanted }: { scope: Scope & IndexedChat; folded: string; to: number; wanted: number },
  sample: Sample,
): MatchRow[] | undefined {
  const sampled = matchesIn(sample, folded);
  if (sampled < commonInSample || sample.meanLength * wanted > charactersOfPage) return undefined;
  const after = to - Math.ceil((reach * wanted * sample.texts.length) / sampled);
  const texts = database.rows<MatchRow>(
    `SELECT ${matchColumns} FROM (SELECT rowid FROM search_trigrams WHERE search_trigrams MATCH ?
       AND ${inRange('rowid')} ORDER BY rowid DESC LIMIT ?) candidate
     CROSS JOIN search_documents d ON d.id = candidate.rowid
     WHERE d.application = ? AND d.chat = ? AND d.body IS NOT NULL ORDER BY d.id DESC`,
    [
      inBody(fewTrigrams(folded, sample.texts, trigramsOfPage), { folded, scope }),
      ...rangeOf(scope, { after, to }),
      wanted + spareTexts,
      scope.application,
      scope.chat,
    ],
  );
  const contains = containing(folded);
  const matches: MatchRow[] = [];
  let characters = 0;
  for (const text of texts) {
    characters += text.body.length;
    if (characters > charactersOfPage) return undefined;
    if (!contains(fold(text.body))) continue;
    matches.push(text);
    if (matches.length === wanted) return matches;
  }
  return undefined;
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
