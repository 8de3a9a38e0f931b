import { limits } from '../../lib/limits.ts';
import type { SearchDocument } from '../../lib/search/search-index.ts';
import { Random } from '../../tools/statistics/random.ts';
import { indexed } from '../support/histories/writes.ts';

/** The messages and queries of a case, generated to make a search slow. */
export interface SearchCase {
  documents: SearchDocument[];
  queries: string[];
}

/** Characters of one to four bytes in UTF-8, some of them with case variants. */
const characters = ['a', 'b', '=', 'E', 'я', '\u0301', '中', '\u{1F600}'];
const words = [
  'the',
  'and',
  'on',
  'right',
  'to',
  'everyone',
  'has',
  'an',
  'of',
  'zebra',
  '=====',
  'haha',
  'hahaha',
  '...',
];

const textLengths = [30, 80, 500, limits.bodyLength];
const queryLengths = [1, 2, 3, 4, 5, 6, 12, 18, 19, 30, 61, 251, limits.queryLength];

/** Generates a case from a seed, with `size` code points in total. The same seed and size give the same case. */
export function drawCase(seed: number, size: number): SearchCase {
  const random = new Random(seed);
  const length = pick(random, textLengths);
  const kinds = Array.from({ length: random.between(1, 3) }, () => textsOf(random, length));
  const count = Math.max(2, Math.floor(size / length));
  const chats = pick(random, [1, 2, Math.min(count, 500)]);
  // The kinds of texts are mixed or follow one another, and times are in the order of the numbers or random.
  const [mixed, ordered] = [random.chance(0.5), random.chance(0.7)];
  const documents = Array.from({ length: count }, (_, i): SearchDocument => {
    const kind = mixed ? pick(random, kinds) : (kinds[Math.floor((i * kinds.length) / count)] as () => string[]);
    const createdAt = ordered ? i : random.between(0, count);
    const body = kind().join('');
    return {
      token: `${seed}`,
      chat: 1 + (i % chats),
      number: 1 + i,
      ...indexed(body),
      createdAt,
      updatedAt: createdAt,
    };
  });
  const queries = Array.from({ length: 12 }, () => queryOf(random, pick(random, documents).content?.body as string));
  return { documents, queries };
}

/** Generates texts of one kind, of `length` code points. */
function textsOf(random: Random, length: number): () => string[] {
  const alphabet = Array.from({ length: random.between(1, 3) }, () => pick(random, characters));
  const repeated = (unit: string[]) => Array.from({ length }, (_, i) => unit[i % unit.length] as string);
  const drawn = (count: number, from: string[]) => Array.from({ length: count }, () => pick(random, from));
  const period = drawn(random.between(1, 20), alphabet);
  const ruler = drawn(random.between(20, 300), alphabet.slice(0, 1));
  return pick(random, [
    () => repeated(period),
    // Almost periodic: one character differs.
    () => repeated(period).with(random.between(0, length - 1), pick(random, characters)),
    () => repeated([...ruler, pick(random, characters)]),
    () => repeated(drawn(random.between(20, 997), alphabet)),
    () => repeated([...drawn(Math.ceil(length / 3), words).join(' ')]),
  ]);
}

/** Returns a part of a text, sometimes with another character at its start, middle or end. */
function queryOf(random: Random, body: string): string {
  const points = [...body];
  const length = Math.min(pick(random, queryLengths), points.length);
  const from = random.between(0, points.length - length);
  const part = points.slice(from, from + length);
  const at = pick(random, [undefined, undefined, 0, length >> 1, length - 1]);
  return (at === undefined ? part : part.with(at, pick(random, characters))).join('');
}

const pick = <Item>(random: Random, items: Item[]): Item => random.pick(items) as Item;
