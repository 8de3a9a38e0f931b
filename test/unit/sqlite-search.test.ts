import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SearchDocument, SearchPage } from '../../lib/search/search-index.ts';
import { rowIdOf } from '../../lib/search/sqlite/ids.ts';
import { applicationTrigram } from '../../lib/search/sqlite/matching.ts';
import { searchMigrations } from '../../lib/search/sqlite/schema.ts';
import { SqliteSearch } from '../../lib/search/sqlite/search.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { allPages } from '../support/client/all-pages.ts';
import { indexed } from '../support/histories/writes.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';
import { hardText, queryFor } from '../support/texts/hard-texts.ts';
import { scans } from '../support/texts/scan.ts';

let file: SqliteFile;
beforeAll(async () => {
  file = await openSqliteFile({ search: searchMigrations });
});
afterAll(() => file.remove());

// With these limits a few messages reach the code paths for more than 10,000 or 100,000 matches.
test.for([
  ['reading backwards', { minRead: 1_000, maxRead: 1_000_000, maxSorted: 0 }],
  ['sorting', { minRead: 1, maxRead: 2, maxSorted: 1_000 }],
  ['walking by time', { minRead: 1, maxRead: 2, maxSorted: 0 }],
] as const)(
  'above the exact total a search finds exactly what a scan finds when the page is found by %s',
  async ([, budgets]) => {
    const index = new SqliteSearchIndex(file.database);
    const search = new SqliteSearch(file.database, { exactTotal: 2, budgets });
    const cases = fc
      .array(fc.record({ body: hardText, chat: fc.integer({ min: 1, max: 5 }), createdAt: fc.nat(6) }), {
        minLength: 1,
        maxLength: 24,
      })
      .chain((messages) =>
        fc.tuple(
          fc.constant(messages),
          fc.array(queryFor(messages.map(({ body }) => body)), { minLength: 6, maxLength: 6 }),
        ),
      );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(cases, async ([messages, queries]) => {
        const token = `${JSON.stringify(budgets)} ${run++}`;
        const documents = messages.map(
          ({ body, ...message }, i): SearchDocument => ({
            ...message,
            ...indexed(body),
            token,
            number: i + 1,
            updatedAt: message.createdAt,
          }),
        );
        await index.index([...documents, ...documents.map((same) => ({ ...same, token: `${token} beside` }))]);
        for (const q of queries)
          for (const chat of [undefined, 1]) {
            const expected = documents
              .filter((each) => (chat === undefined || each.chat === chat) && scans(each.content?.body as string, q))
              .sort((a, b) => (chat ? 0 : b.createdAt - a.createdAt || b.chat - a.chat) || b.number - a.number);
            const pages = await allPages(
              async (last: SearchPage | undefined) => {
                const after = last?.matches.at(-1);
                return search.search({ token, q, limit: 3, ...(chat && { chat }), ...(after && { after }) });
              },
              ({ more }) => more,
            );
            const numbers = pages.flatMap(({ matches }) => matches.map(({ number }) => number));
            expect(numbers, q).toEqual(expected.map(({ number }) => number));
            for (const { total, totalIsMinimum } of pages)
              expect({ total, totalIsMinimum }).toEqual({
                total: Math.min(2, expected.length),
                totalIsMinimum: expected.length > 2,
              });
          }
      }),
      { numRuns: 60 },
    );
  },
);

// Every text has all trigrams of the query, near each other or not, but not always the query itself.
test('a chat is searched page by page for a common text exactly as a scan does', async () => {
  const index = new SqliteSearchIndex(file.database);
  const parts = fc.constantFrom('hello world', 'hello wor', 'llo world', 'ello wo', 'o w', 'hello', 'world', ' and ');
  const text = fc.array(parts, { minLength: 2, maxLength: 5 }).map((some) => some.join(' ~ '));
  const messages = { minLength: 60, maxLength: 60 };
  const chats = fc.array(fc.constantFrom(1, 1, 2), messages);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(text, messages), chats, async (bodies, chatOf) => {
      const token = `common ${run++}`;
      const documents = bodies.map((body, i) => ({
        ...indexed(body),
        token,
        chat: chatOf[i] as number,
        number: i + 1,
        createdAt: i,
        updatedAt: i,
      }));
      await index.index(documents);
      for (const q of ['hello world', 'hello', 'o world'])
        for (const limit of [1, 5]) {
          const pages = await allPages(
            (last: SearchPage | undefined) => {
              const after = last?.matches.at(-1);
              return index.search({ token, chat: 1, q, limit, ...(after && { after }) });
            },
            ({ more }) => more,
          );
          const expected = documents.filter(({ chat, content }) => chat === 1 && content?.body.includes(q)).reverse();
          const found = pages.flatMap(({ matches }) => matches.map(({ number }) => number));
          expect(found, q).toEqual(expected.map(({ number }) => number));
          for (const { total } of pages) expect(total).toBe(expected.length);
        }
    }),
    { numRuns: 40 },
  );
});

const common = 'abcdefghijkl';
const texts = (count: number, textOf: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => textOf(i));
test.for<[string, string[]]>([
  ['texts that only have some trigrams of the query', texts(300, (i) => common.replace(common[i % 12] as string, '-'))],
  ['other texts', texts(600, () => 'something else')],
  ['many long texts with the query', texts(300, () => `${'-'.repeat(9_000)} ${common}`)],
  [
    'a few long texts with the query, and other texts',
    [...texts(300, () => 'something else'), ...texts(20, () => `${common} ${'-'.repeat(9_000)}`)],
  ],
])('the newest matches of a common text are found at and below %s', async ([name, newer]) => {
  const index = new SqliteSearchIndex(file.database);
  const documents = [...texts(10, () => common), ...newer].map((body, i) => ({
    ...indexed(body),
    token: name,
    chat: 1,
    number: i + 1,
    createdAt: i,
    updatedAt: i,
  }));
  await index.index(documents);
  const expected = documents.filter(({ content }) => content?.body.includes(common)).reverse();
  for (const limit of [2, 5, 10, 50]) {
    const { matches, total } = await index.search({ token: name, chat: 1, q: common, limit });
    expect(matches.map(({ number }) => number)).toEqual(expected.slice(0, limit).map(({ number }) => number));
    expect(total).toBe(expected.length);
  }
});

test('a search for the trigram of its application finds only the texts that contain it', async () => {
  const own = await openSqliteFile({ search: searchMigrations });
  try {
    const index = new SqliteSearchIndex(own.database);
    const trigram = applicationTrigram(1);
    const bodies = ['hello', `a ${trigram} b`, 'another', `${trigram}${trigram}`];
    await index.index(
      bodies.map((body, i) => ({ ...indexed(body), token: 't', chat: 1, number: i + 1, createdAt: i, updatedAt: i })),
    );
    const { application } = own.database.prepare('SELECT ordinal AS application FROM search_applications').get() ?? {};
    expect(application).toBe(1);
    for (const scope of [{ token: 't', chat: 1 }, { token: 't' }])
      for (const [q, numbers] of [
        [trigram, [4, 2]],
        [`${trigram} b`, [2]],
        [`${trigram}x`, []],
        ['hello', [1]],
      ] as const) {
        const { matches, total } = await index.search({ ...scope, q, limit: 10 });
        expect(matches.map(({ number }) => number)).toEqual(numbers);
        expect(total).toBe(numbers.length);
      }
  } finally {
    own.remove();
  }
});

test('no number or ordinal can result in a document id of another chat', () => {
  expect(rowIdOf(2 ** 31 - 1, 2 ** 32 - 1)).toBe(2n ** 63n - 1n);
  expect(rowIdOf(1, 1)).toBe(2n ** 32n + 1n);
  for (const number of [0, -1, 1.5, 2 ** 32, Number.MAX_SAFE_INTEGER, Number.NaN])
    expect(() => rowIdOf(1, number)).toThrow(RangeError);
  for (const ordinal of [-1, 0.5, 2 ** 31, Number.MAX_SAFE_INTEGER])
    expect(() => rowIdOf(ordinal, 1)).toThrow(RangeError);
});

test('a batch with messages of several chats in any order is one segment of each full-text table', async () => {
  const own = await openSqliteFile({ search: searchMigrations });
  try {
    const chats = [3, 1, 4, 2];
    const batch = [1, 2, 3].flatMap((number) =>
      chats.map((chat) => ({ ...indexed('hello'), token: 't', chat, number, createdAt: 1, updatedAt: 1 })),
    );
    const index = new SqliteSearchIndex(own.database);
    // The chats get their ordinals in this order.
    await index.index(chats.toSorted().map((chat) => ({ ...batch[0], chat, number: 9 }) as SearchDocument));
    await index.index(batch);
    for (const table of ['search_trigrams', 'search_grams'])
      expect(own.database.raw.prepare(`SELECT count(DISTINCT segid) AS segments FROM ${table}_idx`).get()).toEqual({
        segments: 2,
      });
  } finally {
    own.remove();
  }
});
