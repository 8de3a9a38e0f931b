import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { limits } from '../../lib/limits.ts';
import type { SearchDocument } from '../../lib/search/search-index.ts';
import { KeptCounts } from '../../lib/search/sqlite/kept-counts.ts';
import { searchMigrations } from '../../lib/search/sqlite/schema.ts';
import { SqliteSearch } from '../../lib/search/sqlite/search.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { Database } from '../../lib/sqlite/database.ts';
import { indexed } from '../support/histories/writes.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

let file: SqliteFile;
let reader: Database;
let index: SqliteSearchIndex;
let search: SqliteSearch;
/** A few messages exceed these limits. */
const exactTotal = 4;
beforeEach(async () => {
  file = await openSqliteFile({ search: searchMigrations });
  reader = Database.open(file.path, { readOnly: true });
  index = new SqliteSearchIndex(file.database);
  search = new SqliteSearch(reader, { exactTotal, budgets: { minRead: 1, maxRead: 2, maxSorted: 4 } });
});
afterEach(() => {
  reader.close();
  file.remove();
});

const message = (chat: number, number: number, body: string, revision = 0): SearchDocument => ({
  ...indexed(body, revision),
  token: 't',
  chat,
  number,
  createdAt: number,
  updatedAt: number,
});

type Step =
  | { messages: [chat: number, number: number, body: string | null][] }
  | { purge: number | undefined; limit: number };

const body = fc
  .array(fc.constantFrom('a', 'b', 'c', 'ab', 'abc'), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(''));
const written = fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 16 }), fc.option(body, { freq: 8 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ messages: fc.array(written, { minLength: 1, maxLength: 8 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ purge: fc.constantFrom(1, 2, undefined), limit: fc.constantFrom(2, 1_000) }),
  },
);
const queries = ['a', 'ab', 'abc', 'abca', 'ababa', 'abcabca'];

test('after any changes, a search by another connection finds and counts exactly what a scan does', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
      const token = `t${run++}`;
      const model = new Map<string, SearchDocument>();
      let revision = 0;
      for (const each of steps) {
        if ('messages' in each) {
          const documents = each.messages.map(([chat, number, text]) => ({
            ...message(chat, number, text ?? '', ++revision),
            ...(text === null && { content: null }),
            token,
          }));
          await index.index(documents);
          for (const document of documents) {
            const key = `${document.chat}/${document.number}`;
            // A deleted message stays deleted.
            if (model.get(key)?.content !== null) model.set(key, document);
          }
        } else {
          const { purge, limit } = each;
          await index.purge({ token, ...(purge && { chat: purge }) }, limit);
          const left = file.database.prepare(
            `SELECT chat, id & 0xffffffff AS number FROM search_documents
             WHERE application = (SELECT ordinal FROM search_applications WHERE token = ?)`,
          );
          const keys = new Set(left.all(token).map(({ chat, number }) => `${chat}/${number}`));
          for (const key of model.keys()) if (!keys.has(key)) model.delete(key);
        }
        for (const chat of [1, 2, undefined])
          for (const q of queries) {
            const expected = [...model.values()]
              .filter((document) => (!chat || document.chat === chat) && document.content?.body.includes(q))
              .sort((x, y) => (chat ? 0 : y.createdAt - x.createdAt || y.chat - x.chat) || y.number - x.number);
            const found = search.search({ token, q, limit: 2, ...(chat && { chat }) });
            const place = `${q} in ${chat ?? 'the application'}`;
            expect(
              found.matches.map((match) => [match.chat, match.number]),
              place,
            ).toEqual(expected.slice(0, 2).map((match) => [match.chat, match.number]));
            expect([found.total, found.totalIsMinimum], place).toEqual([
              Math.min(expected.length, exactTotal),
              expected.length > exactTotal,
            ]);
          }
      }
    }),
    { numRuns: 50 },
  );
});

test.for([
  ['one trigram', 'abc'],
  ['one character', 'a'],
  ['a text that the index alone cannot compare', 'ababab'],
] as const)(
  'a later search for %s with too many matches to count counts nothing until a message is changed',
  async ([, q]) => {
    const text = 'abc ababab';
    await index.index([1, 2, 3, 4, 5].map((number) => message(1, number, text)));
    const counted = () => {
      const { total, totalIsMinimum } = search.search({ token: 't', chat: 1, q, limit: 1 });
      return { total, totalIsMinimum };
    };
    expect(counted()).toEqual({ total: 4, totalIsMinimum: true });
    // Counting again would find fewer.
    for (const table of ['search_trigrams', 'search_grams'])
      file.database.raw.exec(`DELETE FROM ${table} WHERE rowid & 7 < 4`);
    expect(counted()).toEqual({ total: 4, totalIsMinimum: true });
    await index.index([message(1, 6, text)]);
    expect(counted()).toEqual({ total: 4, totalIsMinimum: true });
    await index.index([message(1, 6, 'something else', 1)]);
    expect(counted()).toEqual({ total: 2, totalIsMinimum: false });
  },
);

test('a later search counts only the matches in newer messages of the chat', async () => {
  const total = () => search.search({ token: 't', chat: 1, q: 'abc', limit: 1 }).total;
  await index.index([1, 2].map((number) => message(1, number, 'abc')));
  expect(total()).toBe(2);
  // Counting all again would find one.
  file.database.raw.exec('DELETE FROM search_trigrams WHERE rowid & 7 = 1');
  await index.index([message(1, 3, 'abc')]);
  expect(total()).toBe(3);
  await index.index([message(1, 3, 'abc', 1)]);
  expect(total()).toBe(2);
});

test('a count is not continued with messages that only contain the trigrams of the text', async () => {
  const total = () => search.search({ token: 't', chat: 1, q: 'abcde', limit: 1 }).total;
  await index.index([1, 2, 3].map((number) => message(1, number, 'abcde')));
  expect(total()).toBe(3);
  // The index now finds texts with these trigrams, and compares them, because that is faster.
  await index.index([4, 5, 6, 7].map((number) => message(1, number, 'abcdbcde'.repeat(100))));
  expect(total()).toBe(3);
});

test('a limited number of counts is kept: the most recently used ones', () => {
  const counts = new KeptCounts();
  const scope = { application: 1, edition: 7 };
  const keep = (folded: string) => counts.set(scope, folded, { count: 1, to: 0 });
  keep('used');
  for (let i = 0; i < limits.keptCounts; i++) {
    expect(counts.get(scope, 'used')).toBeDefined();
    keep(`text ${i}`);
  }
  expect(counts.get(scope, 'text 0')).toBeUndefined();
  expect(counts.get(scope, 'text 1')?.count).toBe(1);
  expect(counts.get({ ...scope, edition: 8 }, 'used')).toBeUndefined();
});
