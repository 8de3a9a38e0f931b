import type { Database } from '../../sqlite/database.ts';
import { fold } from '../text/fold.ts';
import { chatValues, numberOf, ofChat, type Scope } from './ids.ts';
import { distinctPhrase, isChat } from './matching.ts';

/** Number of positions in the scope at which a sample reads texts. */
const sampleSpots = 8;
/** Texts that a sample reads at each position. They are consecutive, so most are on the same page of the file. */
const textsPerSpot = 16;
/** Code points that a sample reads from the beginning of each text. With these numbers, it takes 0.2 ms. */
const sampleCharacters = 200;

/** Some of the texts in the scope of a search. They affect only its speed, never its result. */
export interface Sample {
  /** The beginnings of the texts, folded. */
  texts: string[];
  /** The lengths of the whole texts, in code points, in the order of `texts`. */
  lengths: number[];
  /** The mean of `lengths`, at least 1. */
  meanLength: number;
}

/** Samples texts evenly across the scope: by number in a chat, by time in an application. */
export function sampleOf(database: Database, scope: Scope): Sample {
  const { column, order, where, between } = orderOf(scope);
  const end = (direction: 'ASC' | 'DESC') =>
    database
      .prepare(`SELECT ${column} AS position FROM search_documents WHERE ${where}
         ORDER BY ${order} ${direction} LIMIT 1`)
      .get(...between(0, Number.MAX_SAFE_INTEGER))?.position as number | undefined;
  const [first, last] = [end('ASC'), end('DESC')];
  if (first === undefined || last === undefined) return { texts: [], lengths: [], meanLength: 1 };
  const statement = database.prepare(
    `SELECT substr(body, 1, ${sampleCharacters}) AS text, length(body) AS length FROM search_documents WHERE ${where}
     ORDER BY ${order} LIMIT ${textsPerSpot}`,
  );
  const step = Math.floor((last - first) / sampleSpots) + 1;
  const read = Array.from({ length: sampleSpots }, (_, i) => first + i * step)
    .flatMap((from) => statement.all(...between(from, from + step - 1)) as { text: string | null; length: number }[])
    .flatMap(({ text, length }) => (text === null ? [] : [{ text: fold(text), length }]));
  const lengths = read.map(({ length }) => length);
  const meanLength = Math.max(1, lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, read.length));
  return { texts: read.map(({ text }) => text), lengths, meanLength };
}

/** Returns the column that orders the texts of a scope, and the condition that it is between two values. */
function orderOf(scope: Scope): {
  column: string;
  order: string;
  where: string;
  between: (first: number, last: number) => (number | bigint)[];
} {
  if (isChat(scope))
    return {
      column: numberOf('id'),
      order: 'id',
      where: `application = ? AND ${ofChat('id')}`,
      between: (first, last) => [scope.application, ...chatValues(scope, { after: first - 1, to: last })],
    };
  return {
    column: 'created_at',
    order: 'created_at',
    where: 'application = ? AND body IS NOT NULL AND created_at BETWEEN ? AND ?',
    between: (first, last) => [scope.application, first, last],
  };
}

/** Nanoseconds that FTS5 needs to compare a position, measured in texts of 10,000 random `a` and `b`. */
const nsPerPosition = 20;
/** Nanoseconds to compare a text with the query: for each text, and for each of its code points. */
const nsPerText = 1_500;
const nsPerCharacter = 4;

/**
 * Returns whether the texts contain the query's trigrams so often that comparing their positions (in FTS5) would take
 * longer than comparing the texts with the query (here). Natural language never comes close; `ababab…` does.
 */
export function isCrowded(folded: string, { texts, lengths }: Sample): boolean {
  const points = [...distinctPhrase([...folded])];
  const trigrams = points.slice(2).map((_, at) => points.slice(at, at + 3).join(''));
  let [positionsNs, textsNs] = [0, 0];
  for (const [i, text] of texts.entries()) {
    if (!trigrams.every((trigram) => text.includes(trigram))) continue;
    const length = lengths[i] as number;
    const times = length / Math.min(length, sampleCharacters);
    const positions = trigrams.reduce((sum, trigram) => sum + occurrences(text, trigram), 0);
    positionsNs += nsPerPosition * positions * times;
    textsNs += nsPerText + nsPerCharacter * length;
  }
  return positionsNs > textsNs;
}

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) count++;
  return count;
}
