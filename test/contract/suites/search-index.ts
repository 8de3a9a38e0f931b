import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../../lib/limits.ts';
import {
  documentVersion,
  RefusedDocuments,
  type SearchDocument,
  type SearchIndex,
  type SearchPage,
  type SearchQuery,
  tombstoneVersion,
} from '../../../lib/search/search-index.ts';
import { allPages, purgeAll } from '../../support/client/all-pages.ts';
import { indexed, numbers } from '../../support/histories/writes.ts';
import { hardText, queryFor, queryLanguages } from '../../support/texts/hard-texts.ts';
import { matcher, scans } from '../../support/texts/scan.ts';

export interface SearchIndexUnderTest {
  index: SearchIndex;
  /** Resolves when everything that was indexed or purged before is visible in searches. */
  refreshed: () => Promise<void>;
  close: () => Promise<void>;
}

/**
 * The contract of every search index. The tests share one index, as clients do, and each uses applications of its own.
 */
export function searchIndexContract(name: string, open: () => Promise<SearchIndexUnderTest>): void {
  describe(`the search index, ${name}`, () => {
    let opened: SearchIndexUnderTest;
    let index: SearchIndex;
    beforeAll(async () => {
      opened = await open();
      index = opened.index;
    });
    afterAll(() => opened.close());

    const newToken = () => randomUUID();
    const document = (
      token: string,
      chat: number,
      number: number,
      body: string | null,
      version = 0,
    ): SearchDocument => ({
      token,
      chat,
      number,
      ...indexed(body, version),
      createdAt: number,
      updatedAt: number,
    });
    const indexAll = async (documents: SearchDocument[]) => {
      for (let i = 0; i < documents.length; i += limits.rowsPerTransaction)
        await index.index(documents.slice(i, i + limits.rowsPerTransaction));
      await opened.refreshed();
    };

    /** Returns all matches of a search, page by page, and checks that the pages agree on the total. */
    const searchAll = async (query: Omit<SearchQuery, 'limit'>, limit = 100) => {
      const pages = await allPages(
        (last: SearchPage | undefined) => {
          const after = last?.matches.at(-1);
          return index.search({ ...query, limit, ...(after && { after }) });
        },
        ({ more }) => more,
      );
      const { total, totalIsMinimum } = pages[0] as SearchPage;
      for (const page of pages) {
        expect(page.matches.length).toBeLessThanOrEqual(limit);
        expect(page).toMatchObject({ total, totalIsMinimum });
      }
      return { matches: pages.flatMap(({ matches }) => matches), total, totalIsMinimum };
    };
    const found = async (query: Omit<SearchQuery, 'limit'>) =>
      (await searchAll(query)).matches.map(({ chat, number }) => `${chat}/${number}`);

    describe('what matches', () => {
      test('a search finds exactly what a scan finds, in a chat and across an application', async () => {
        const cases = fc
          .array(hardText, { minLength: 1, maxLength: 24 })
          .chain((bodies) =>
            fc.tuple(fc.constant(bodies), fc.array(queryFor(bodies), { minLength: 12, maxLength: 12 })),
          );
        await fc.assert(
          fc.asyncProperty(cases, async ([bodies, queries]) => {
            const [token, neighbour] = [newToken(), newToken()];
            const documents = bodies.map((body, i) => document(token, 1 + (i % 2), 1 + i, body));
            // A neighbour with the same texts must not appear in the results.
            await indexAll([...documents, ...documents.map((same) => ({ ...same, token: neighbour }))]);
            for (const q of queries) {
              const scanned = documents.filter(({ content }) => scans(content?.body as string, q)).reverse();
              expect(documents.filter(({ content }) => matcher(q).test(content?.body as string)).reverse()).toEqual(
                scanned,
              );
              for (const chat of [undefined, 1, 2]) {
                const expected = scanned.filter((match) => chat === undefined || match.chat === chat);
                const { matches, total, totalIsMinimum } = await searchAll({ token, q, ...(chat && { chat }) }, 5);
                expect(matches).toEqual(
                  expected.map(({ chat, number, content, createdAt, updatedAt }) => ({
                    chat,
                    number,
                    content,
                    createdAt,
                    updatedAt,
                  })),
                );
                expect({ total, totalIsMinimum }).toEqual({ total: expected.length, totalIsMinimum: false });
              }
            }
          }),
          { numRuns: 120 },
        );
      });

      test('each ASCII character matches only itself: alone, in a pair, and inside a word', async () => {
        const token = newToken();
        const characters = numbers(1, 0x7f).map((point) => String.fromCharCode(point));
        const bodies = characters.map((character) => `é${character}ü`);
        await indexAll(bodies.map((body, i) => document(token, 1, i + 1, body)));
        for (const [i, character] of characters.entries())
          for (const q of [character, `é${character}`, `${character}ü`, `É${character}Ü`]) {
            const expected = bodies.flatMap((body, at) => (matcher(q).test(body) ? [`1/${at + 1}`] : []));
            expect(expected).toContain(`1/${i + 1}`);
            expect((await found({ token, chat: 1, q })).reverse()).toEqual(expected);
            expect((await found({ token, q })).reverse()).toEqual(expected);
          }
      });

      test('a query is plain text, whatever query language it looks like', async () => {
        const token = newToken();
        await indexAll(queryLanguages.map((body, i) => document(token, 1, i + 1, body)));
        for (const q of queryLanguages) {
          const expected = queryLanguages.flatMap((body, i) => (matcher(q).test(body) ? [`1/${i + 1}`] : [])).reverse();
          expect(expected, q).not.toEqual([]);
          expect(await found({ token, chat: 1, q }), q).toEqual(expected);
          expect(await found({ token, q }), q).toEqual(expected);
        }
      });

      test('U+FFFD, U+FFFE and U+FFFF do not match each other', async () => {
        const token = newToken();
        const alike = ['\uFFFD', '\uFFFE', '\uFFFF'];
        await indexAll(alike.map((character, i) => document(token, 1, i + 1, `ab${character}cd`)));
        for (const [i, character] of alike.entries())
          for (const q of [character, `b${character}`, `b${character}c`, `AB${character}CD`]) {
            expect(await found({ token, q })).toEqual([`1/${i + 1}`]);
            expect(await searchAll({ token, chat: 1, q })).toMatchObject({ total: 1 });
          }
      });

      test('a query does not match text that only looks or sounds alike, or is equivalent only in some language', async () => {
        const alike = [
          'iİıIí',
          'sSſßẞ',
          'aAáÁàªⓐａＡᴬ',
          'kK\u212AК',
          'σΣςｓ',
          'éÉeE',
          'ﬁ',
          '1１¹①',
          'ǆǅǄ',
          'ΩΩω',
          'µμΜM',
        ];
        const token = newToken();
        for (const [i, group] of alike.entries()) {
          const characters = [...group, 'fi', 'ss', 'e\u0301', 'i\u0307', 'dž'];
          const bodies = characters.map((character) => `ab${character}cd`);
          await indexAll(bodies.map((body, at) => document(token, i + 1, at + 1, body)));
          for (const character of characters)
            for (const q of [character, `b${character}c`, `AB${character}CD`]) {
              const expected = bodies.flatMap((body, at) => (matcher(q).test(body) ? [`${i + 1}/${at + 1}`] : []));
              expect((await found({ token, chat: i + 1, q })).reverse(), q).toEqual(expected);
            }
        }
      });

      test('the longest query matches in the longest body, in any plane', async () => {
        const token = newToken();
        const q = '\u{1F600}'.repeat(limits.queryLength);
        await indexAll([
          document(token, 1, 1, '\u{1F600}'.repeat(limits.bodyLength)),
          document(token, 1, 2, '\u{1F600}'.repeat(limits.queryLength - 1)),
          document(token, 1, 3, `${'x'.repeat(limits.bodyLength - limits.queryLength)}${q}`),
        ]);
        expect(await found({ token, q })).toEqual(['1/3', '1/1']);
        expect(await found({ token, chat: 1, q })).toEqual(['1/3', '1/1']);
      });

      test('texts that contain all parts of a query, but not the query, do not match, whatever their number and length', async () => {
        const [few, many, long] = [newToken(), newToken(), newToken()];
        const texts = ['north of the river', 'river, and on and on and on and'];
        const match = `it is NORTH of the river, ${'and on '.repeat(5)}`;
        const parts = 'the river of the north of the ri, h of the r; north of th, river, and on and on and; on and on';
        for (const [token, count, text] of [
          [few, 300, parts],
          [many, 5_600, parts],
          [long, 400, parts.repeat(100)],
        ] as const) {
          await indexAll(
            numbers(1, count).map((number) => document(token, 1 + (number % 2), number, number % 99 ? text : match)),
          );
          await indexAll([document(token, 1, 198, 'north', 1), document(token, 2, 99, null)]);
          const expected = numbers(1, count)
            .filter((number) => number % 99 === 0 && number > 198)
            .reverse();
          for (const q of texts) {
            expect((await searchAll({ token, q }, 2)).matches.map(({ number }) => number)).toEqual(expected);
            for (const chat of [1, 2]) {
              const inChat = expected.filter((number) => 1 + (number % 2) === chat);
              const { matches, total } = await searchAll({ token, chat, q }, 2);
              expect(matches.map(({ number }) => number)).toEqual(inChat);
              expect(total).toBe(inChat.length);
            }
          }
        }
      });

      test('U+0000 matches nothing, because no body contains it', async () => {
        const token = newToken();
        await indexAll([document(token, 1, 1, 'abc def')]);
        for (const q of ['\0', 'abc\0', '\0abc', 'abc\0def']) expect(await found({ token, q })).toEqual([]);
      });

      test('a search in an unknown or empty application or chat finds nothing', async () => {
        const token = newToken();
        await indexAll([document(token, 1, 1, 'hello')]);
        for (const query of [{ token: newToken() }, { token, chat: 2 }, { token: `${token}x` }, { token: '' }])
          for (const q of ['h', 'he', 'hello'])
            expect(await index.search({ ...query, q, limit: 10 })).toEqual({
              matches: [],
              more: false,
              total: 0,
              totalIsMinimum: false,
            });
      });

      test('a search stays within its application and chat, whatever the texts are', async () => {
        const [token, other] = [newToken(), newToken()];
        await indexAll([
          document(token, 1, 1, 'hello'),
          document(token, 2, 1, 'hello'),
          document(token, 12, 1, 'hello'),
          document(other, 1, 1, `hello ${token}`),
        ]);
        expect(await found({ token, chat: 1, q: 'hello' })).toEqual(['1/1']);
        expect((await found({ token, q: 'hello' })).sort()).toEqual(['1/1', '12/1', '2/1']);
        expect(await found({ token, q: token })).toEqual([]);
        expect(await found({ token: other, q: token })).toEqual(['1/1']);
      });
    });

    describe('the order', () => {
      test('matches are sorted newest first by creation time, chat and number, with any page size', async () => {
        const token = newToken();
        const documents = [2, 3, 1].flatMap((chat) =>
          // All messages of a chat are created at the same time, and some numbers contradict the order of time, as with
          // the clocks of two machines.
          numbers(1, 6).map((number) => ({
            ...document(token, chat, number, `hello ${chat}/${number}`),
            createdAt: number === 3 ? 5_000 : 1_000 + Math.floor(number / 2),
          })),
        );
        await indexAll(documents);
        const newest = documents
          .toSorted((a, b) => b.createdAt - a.createdAt || b.chat - a.chat || b.number - a.number)
          .map(({ chat, number }) => ({ chat, number }));
        for (const limit of [1, 2, 5, 18, 19]) {
          expect((await searchAll({ token, q: 'hello' }, limit)).matches).toMatchObject(newest);
          expect((await searchAll({ token, q: 'h' }, limit)).matches).toMatchObject(newest);
          // In one chat, matches are sorted by number alone.
          expect((await searchAll({ token, chat: 2, q: 'hello' }, limit)).matches.map(({ number }) => number)).toEqual([
            6, 5, 4, 3, 2, 1,
          ]);
        }
      });

      test('a page that starts at a match which was deleted meanwhile keeps the order', async () => {
        const token = newToken();
        await indexAll(numbers(1, 6).map((number) => document(token, 1, number, 'hello')));
        const { matches } = await index.search({ token, q: 'hello', limit: 3 });
        const after = matches.at(-1);
        await indexAll([document(token, 1, 4, null)]);
        expect(after).toMatchObject({ number: 4 });
        for (const chat of [undefined, 1]) {
          const rest = await index.search({
            token,
            q: 'hello',
            limit: 9,
            ...(after && { after }),
            ...(chat && { chat }),
          });
          expect(rest.matches.map(({ number }) => number)).toEqual([3, 2, 1]);
        }
      });
    });

    describe('out-of-range positions and numbers', () => {
      const hostile = [
        0,
        -1,
        2 ** 31,
        2 ** 32 - 1,
        2 ** 32,
        2 ** 33 + 7,
        2 ** 52,
        Number.MAX_SAFE_INTEGER,
        -(2 ** 53 - 1),
      ];
      const body = 'the secret of ====================== is aaaaaaaaaaaaaaaaaaaaaaaa, and what follows it';
      const queries = ['s', 'se', 'sec', 'SECRET of', 'a'.repeat(20), '='.repeat(22), body];
      const [before, token, behind] = [newToken(), newToken(), newToken()];
      const own = [1, 2, 3].flatMap((chat) => numbers(1, 4).map((number) => document(token, chat, number, body)));
      // Neighbours that were indexed before and after.
      beforeAll(async () => {
        await indexAll([1, 2].flatMap((chat) => numbers(1, 9).map((number) => document(before, chat, number, body))));
        await indexAll(own);
        await indexAll([1, 2].flatMap((chat) => numbers(1, 9).map((number) => document(behind, chat, number, body))));
      });

      test('a search after any position finds and counts only messages of its application and chat', async () => {
        const positions = [
          ...hostile.map((number) => ({ createdAt: 3, chat: 2, number })),
          ...hostile.map((chat) => ({ createdAt: 3, chat, number: 3 })),
          ...hostile.map((createdAt) => ({ createdAt, chat: 2, number: 3 })),
          ...hostile.map((any) => ({ createdAt: any, chat: any, number: any })),
        ];
        for (const q of queries)
          for (const chat of [undefined, 2])
            for (const after of positions) {
              const inScope = own.filter((one) => chat === undefined || one.chat === chat);
              const expected = inScope
                .filter((one) =>
                  chat === undefined
                    ? (one.createdAt - after.createdAt || one.chat - after.chat || one.number - after.number) < 0
                    : one.number < after.number,
                )
                .toSorted((a, b) => b.createdAt - a.createdAt || b.chat - a.chat || b.number - a.number);
              const found = await index.search({ token, q, limit: 100, after, ...(chat && { chat }) });
              const what = `${q} in ${chat} after ${JSON.stringify(after)}`;
              expect(
                found.matches.map((match) => [match.chat, match.number]),
                what,
              ).toEqual(expected.map((match) => [match.chat, match.number]));
              expect(found, what).toMatchObject({ more: false, total: inScope.length, totalIsMinimum: false });
            }
      });

      test('the versions after any number, and the document of any number, are only those of the chat', async () => {
        for (const number of hostile) {
          const versions = await index.versions({ token, chat: 2 }, { after: number, limit: 100 });
          expect(versions.map((version) => version.number)).toEqual(number > 0 ? [] : [1, 2, 3, 4]);
          expect(await index.document({ token, chat: 2, number })).toBeUndefined();
        }
      });

      test('a document with an out-of-range number is refused, and no other document changes', async () => {
        const impossible = hostile.filter((number) => number < 1 || number >= 2 ** 32);
        const documents = [
          ...impossible.map((number) => document(token, 2, number, 'injected')),
          ...impossible.map((chat) => document(token, chat, 1, 'injected')),
        ];
        const good = document(token, 4, 1, 'taken beside them');
        const refused = await index.index([...documents, good]).then(
          () => undefined,
          (error: unknown) => error,
        );
        await opened.refreshed();
        expect(refused).toBeInstanceOf(RefusedDocuments);
        expect((refused as RefusedDocuments).documents.map((each) => each.document)).toEqual(documents);
        for (const each of [before, token, behind]) expect(await found({ token: each, q: 'injected' })).toEqual([]);
        expect(await found({ token, q: 'taken beside' })).toEqual(['4/1']);
        expect((await searchAll({ token: behind, q: 'secret' })).total).toBe(18);
      });

      test('the highest number is handled like any other', async () => {
        const highest = document(token, 5, limits.highestNumber, 'the highest of all');
        await indexAll([highest]);
        expect(await index.document({ token, chat: 5, number: limits.highestNumber })).toEqual(highest);
        expect(await found({ token, chat: 5, q: 'highest' })).toEqual([`5/${limits.highestNumber}`]);
        expect(await index.versions({ token, chat: 5 }, { after: limits.highestNumber - 1, limit: 9 })).toHaveLength(1);
        expect(await index.versions({ token, chat: 5 }, { after: limits.highestNumber, limit: 9 })).toEqual([]);
      });
    });

    describe('versions', () => {
      test('a higher version replaces the text, and an equal or lower one is ignored', async () => {
        const token = newToken();
        await indexAll([document(token, 1, 1, 'first words', 3)]);
        await indexAll([document(token, 1, 1, 'stale words', 2), document(token, 1, 1, 'equal words', 3)]);
        expect(await found({ token, q: 'first' })).toEqual(['1/1']);
        expect(await found({ token, q: 'words' })).toEqual(['1/1']);
        await indexAll([document(token, 1, 1, 'newer', 4)]);
        for (const q of ['f', 'fi', 'first', 'stale', 'equal', 'words']) expect(await found({ token, q })).toEqual([]);
        expect(await index.search({ token, q: 'newer', limit: 5 })).toMatchObject({
          matches: [{ content: { body: 'newer' } }],
          total: 1,
        });
      });

      test('a tombstone is final, whatever arrives after it', async () => {
        const token = newToken();
        await indexAll([document(token, 1, 1, 'hello'), document(token, 1, 2, null), document(token, 1, 3, 'hello')]);
        await indexAll([document(token, 1, 1, null)]);
        await indexAll([document(token, 1, 1, 'hello', 1_000), document(token, 1, 2, 'hello', 1_000)]);
        for (const q of ['h', 'he', 'hello']) {
          expect(await found({ token, q })).toEqual(['1/3']);
          expect(await searchAll({ token, chat: 1, q })).toMatchObject({ total: 1 });
        }
      });

      test('any order, repetition and grouping of the same documents results in the same index', async () => {
        const universe = numbers(1, 4).flatMap((number) => [
          ...[0, 1, 2].map((version) =>
            document('?', 1 + (number % 2), number, `n${number} v${version} hello`, version),
          ),
          document('?', 1 + (number % 2), number, null),
        ]);
        const way = fc
          .subarray(universe, { minLength: 1 })
          .chain((documents) =>
            fc.tuple(
              fc.shuffledSubarray([...documents, ...documents], { minLength: 2 * documents.length }),
              fc.integer({ min: 1, max: 9 }),
            ),
          );
        await fc.assert(
          fc.asyncProperty(way, async ([documents, size]) => {
            const token = newToken();
            for (let i = 0; i < documents.length; i += size)
              await index.index(documents.slice(i, i + size).map((one) => ({ ...one, token })));
            await opened.refreshed();
            const last = Map.groupBy(documents, ({ number }) => number)
              .values()
              .map(
                (versions) =>
                  versions.toSorted((a, b) => documentVersion(a) - documentVersion(b)).at(-1)?.content?.body,
              );
            const expected = [...last].filter((body) => body !== undefined).sort();
            for (const q of ['hello', 'h']) {
              const { matches, total } = await searchAll({ token, q });
              expect(matches.map(({ content }) => content.body).sort()).toEqual(expected);
              expect(total).toBe(expected.length);
            }
          }),
          { numRuns: 50 },
        );
      });
    });

    describe('the inventory', () => {
      test('the versions of a chat are returned by number in pages, with tombstones and without those of other chats', async () => {
        const token = newToken();
        await indexAll([
          ...numbers(1, 5).map((number) => document(token, 2, number, 'hello', number % 2 ? 0 : number)),
          document(token, 2, 9, null),
          document(token, 1, 7, 'hello'),
          document(token, 3, 8, 'hello'),
          document(newToken(), 2, 6, 'hello'),
        ]);
        const all = [
          ...[0, 2, 0, 4, 0].map((version, i) => ({ number: i + 1, version })),
          { number: 9, version: tombstoneVersion },
        ];
        expect(await index.versions({ token, chat: 2 }, { after: 0, limit: 10 })).toEqual(all);
        expect(await index.versions({ token, chat: 2 }, { after: 1, limit: 2 })).toEqual(all.slice(1, 3));
        expect(await index.versions({ token, chat: 2 }, { after: 5, limit: 10 })).toEqual(all.slice(5));
        expect(await index.versions({ token, chat: 2 }, { after: 9, limit: 10 })).toEqual([]);
        expect(await index.versions({ token, chat: 2 }, { after: Number.MAX_SAFE_INTEGER, limit: 10 })).toEqual([]);
        expect(await index.versions({ token, chat: 4 }, { after: 0, limit: 10 })).toEqual([]);
        expect(await index.versions({ token: newToken(), chat: 2 }, { after: 0, limit: 10 })).toEqual([]);
      });

      test('a match has the sender and the metadata of the message, and neither is searched', async () => {
        const token = newToken();
        const content = { sender: 'zanzibar', body: 'hello', metadata: '{"place":"zanzibar"}' };
        const sent: SearchDocument = { ...document(token, 1, 1, 'hello'), content };
        const edited = { ...sent, content: { ...content, metadata: null }, revisions: { body: 0, metadata: 2 } };
        const matches = async (q: string) => (await index.search({ token, q, limit: 5 })).matches;
        await indexAll([sent]);
        expect(await matches('hello')).toMatchObject([{ content }]);
        expect(await matches('zanzibar')).toEqual([]);
        await indexAll([edited, sent]);
        expect(await matches('hello')).toMatchObject([{ content: edited.content }]);
        expect(await index.document({ token, chat: 1, number: 1 })).toEqual(edited);
      });

      test('a document is returned as it was indexed, immediately after indexing', async () => {
        const token = newToken();
        const edited = { ...document(token, 1, 1, 'HELLO, wörld \n', 3), createdAt: 10, updatedAt: 20 };
        await index.index([edited]);
        expect(await index.document({ token, chat: 1, number: 1 })).toEqual(edited);
        const deleted = document(token, 1, 2, null);
        await index.index([deleted]);
        expect(await index.document({ token, chat: 1, number: 2 })).toEqual(deleted);
        expect(await index.document({ token, chat: 1, number: 3 })).toBeUndefined();
        expect(await index.document({ token: newToken(), chat: 1, number: 1 })).toBeUndefined();
      });
    });

    describe('purging', () => {
      const purge = (target: { token: string; chat?: number }, limit: number) =>
        purgeAll(async () => {
          const count = await index.purge(target, limit);
          await opened.refreshed();
          return count;
        }, limit);

      test('a chat is purged in steps, and the other chats of the application stay', async () => {
        const token = newToken();
        await indexAll(
          [1, 2, 3].flatMap((chat) => numbers(1, 7).map((number) => document(token, chat, number, 'hello'))),
        );
        expect(await purge({ token, chat: 2 }, 3)).toBe(7);
        for (const q of ['h', 'he', 'hello']) {
          expect(await found({ token, chat: 2, q })).toEqual([]);
          expect(await searchAll({ token, q })).toMatchObject({ total: 14 });
          expect(await found({ token, chat: 3, q })).toHaveLength(7);
        }
        // A worker that had read the message just before the purge would index it again. Its version is refused as long
        // as the index remembers the tombstone; otherwise the second purge removes it.
        await indexAll([document(token, 2, 1, 'hello')]);
        const back = await found({ token, chat: 2, q: 'hello' });
        expect([[], ['2/1']]).toContainEqual(back);
        expect(await purge({ token, chat: 2 }, 3)).toBe(back.length);
        expect(await found({ token, chat: 2, q: 'hello' })).toEqual([]);
        expect(await searchAll({ token, q: 'hello' })).toMatchObject({ total: 14 });
      });

      test('an application is purged in steps with its tombstones, and other applications stay', async () => {
        const [token, beside] = [newToken(), newToken()];
        await indexAll([
          ...[1, 2, 3].flatMap((chat) => numbers(1, 4).map((number) => document(token, chat, number, 'hello'))),
          document(token, 1, 1, null),
          document(beside, 1, 1, 'hello'),
        ]);
        expect(await purge({ token }, 5)).toBe(12);
        for (const q of ['h', 'he', 'hello']) {
          expect(await searchAll({ token, q })).toMatchObject({ matches: [], total: 0 });
          expect(await found({ token: beside, q })).toEqual(['1/1']);
        }
      });

      test('purging an unknown application or chat removes nothing', async () => {
        const token = newToken();
        await indexAll([document(token, 1, 1, 'hello')]);
        expect(await index.purge({ token: newToken() }, 10)).toBe(0);
        expect(await index.purge({ token, chat: 2 }, 10)).toBe(0);
        expect(await found({ token, q: 'hello' })).toEqual(['1/1']);
      });
    });

    test('above 10,000 matches the total is a minimum, and paging still reaches the oldest match', async () => {
      const token = newToken();
      const count = limits.exactTotal + 50;
      await indexAll([
        ...numbers(1, count).map((number) => document(token, 1, number, `Hello ${number}`)),
        document(token, 2, 1, 'hello beside'),
        document(token, 2, 2, 'nothing of the kind'),
      ]);
      for (const q of ['hello', 'h']) {
        const inChat = await searchAll({ token, chat: 1, q }, 1_000);
        expect(inChat).toMatchObject({ total: limits.exactTotal, totalIsMinimum: true });
        expect(inChat.matches.map(({ number }) => number)).toEqual(numbers(1, count).reverse());
        expect(await searchAll({ token, chat: 2, q: 'hello' })).toMatchObject({ total: 1, totalIsMinimum: false });

        const inApplication = await searchAll({ token, q }, 1_000);
        expect(inApplication).toMatchObject({ total: limits.exactTotal, totalIsMinimum: true });
        expect(inApplication.matches).toHaveLength(count + 1 + (q === 'h' ? 1 : 0));
        expect(inApplication.matches.at(-2)).toMatchObject({ chat: 2, number: 1 });
        expect(inApplication.matches.at(-1)).toMatchObject({ chat: 1, number: 1 });
      }
      // The largest number of matches that is counted exactly.
      await indexAll(numbers(1, 50).map((number) => document(token, 1, number, null)));
      expect(await searchAll({ token, chat: 1, q: 'hello' }, 5_000)).toMatchObject({
        total: limits.exactTotal,
        totalIsMinimum: false,
      });
    });
  });
}
