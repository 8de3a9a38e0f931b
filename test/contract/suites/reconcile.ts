import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ledger } from '../../../lib/ledger/ledger.ts';
import { limits } from '../../../lib/limits.ts';
import { blankContent } from '../../../lib/model/content.ts';
import { newToken } from '../../../lib/model/token.ts';
import type { Write } from '../../../lib/model/write.ts';
import type { Queue } from '../../../lib/queue/queue.ts';
import { encodeWrites } from '../../../lib/queue/records.ts';
import type { Difference } from '../../../lib/reconcile/difference.ts';
import { reconcile } from '../../../lib/reconcile/reconcile.ts';
import type { ReconcileServices } from '../../../lib/reconcile/services.ts';
import { rollUp } from '../../../lib/rollup/rollup.ts';
import { documentsOf } from '../../../lib/search/documents-of.ts';
import type { SearchDocument, SearchIndex } from '../../../lib/search/search-index.ts';
import type { Store } from '../../../lib/store/store.ts';
import { newClock } from '../../support/basics/clock.ts';
import {
  applicationWrite,
  chatNamed,
  chatWrite,
  contents,
  deletionWrite,
  indexed,
  messageWrite,
  messageWrites,
  numbers,
} from '../../support/histories/writes.ts';

export interface ReconcileUnderTest {
  services: ReconcileServices & { ledger: Ledger; store: Store; searchIndex: SearchIndex };
  /** Takes from the queue every write that the ledger has queued since the last call. */
  queued: () => Promise<Write[]>;
  /** Does the work. The writes that it makes stay in the queue, and `queued` does not return them. */
  whileWritesWait: (work: () => Promise<unknown>) => Promise<void>;
  addDeadLetters: Queue['addDeadLetters'];
  /** Runs a statement on the store's database. */
  runOnStore: (statement: string) => Promise<unknown>;
  /** Resolves when everything that was indexed is visible in searches. */
  refreshed: () => Promise<void>;
  close: () => Promise<void>;
}

/**
 * The contract of reconcile on every engine. The tests share one system, as clients do, and each uses an application of
 * its own.
 */
export function reconcileContract(name: string, open: (now: () => number) => Promise<ReconcileUnderTest>): void {
  describe(`reconcile, ${name}`, () => {
    const clock = newClock();
    let opened: ReconcileUnderTest;
    let services: ReconcileUnderTest['services'];
    beforeAll(async () => {
      opened = await open(clock);
      services = opened.services;
    });
    afterAll(() => opened.close());

    const allOf = async (options: { token?: string; repair?: boolean } = {}) => {
      await opened.refreshed();
      const found: Difference[] = [];
      for await (const difference of reconcile(services, { now: clock(), repair: false, ...options }))
        found.push(difference);
      return found;
    };
    const roll = () => rollUp(services.store, services.ledger);
    const indexStored = async (token: string, chat: number, from: number, to: number) => {
      const rows = await services.store.merged(numbers(from, to).map((number) => ({ token, chat, number })));
      await services.searchIndex.index(rows.flatMap(documentsOf));
    };
    /** Stores and indexes the queued writes, as the workers do, and runs the roll-up. */
    const work = async () => {
      const writes = await opened.queued();
      for (let i = 0; i < writes.length; i += limits.rowsPerTransaction)
        await services.store.merge(writes.slice(i, i + limits.rowsPerTransaction));
      for (const write of writes)
        if ('number' in write && write.number && write.chat)
          await indexStored(write.token, write.chat, write.number, write.number);
      await roll();
    };
    /** Creates an application and a chat with this number of messages, consistent in all parts of the system. */
    const newChat = async (messages = 3) => {
      const { token } = await services.ledger.createApplication('an application');
      await services.ledger.createChat(token, chatNamed('a chat'));
      if (messages > 0)
        await services.ledger.createMessages({ token, chat: 1 }, contents(numbers(1, messages).map(String)));
      await work();
      return token;
    };
    const document = (token: string, number: number, more: Partial<SearchDocument> = {}): SearchDocument => ({
      token,
      chat: 1,
      number,
      ...indexed(`indexed ${number}`),
      createdAt: 5_000,
      updatedAt: 5_000,
      ...more,
    });
    /** Takes numbers without writing anything, like a function that dies after taking them. */
    const takeNumbers = async (token: string, taken: { chats?: number; messages?: number }) => {
      for (const [parent, more] of [
        [{ token }, taken.chats],
        [{ token, chat: 1 }, taken.messages],
      ] as const) {
        const [entry] = await services.ledger.entries([parent]);
        if (entry && more) await services.ledger.restore({ ...entry, highest: entry.highest + more });
      }
    };
    const messagesCount = async (token: string) => {
      const chat = await services.store.chat(token, 1);
      return typeof chat === 'string' ? chat : chat.messagesCount;
    };

    test('reconcile finds nothing without a difference, in one application and in all', async () => {
      const token = await newChat(5);
      await services.ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'edited' });
      await services.ledger.deleteMessage({ token, chat: 1, number: 2 });
      await services.ledger.editChat({ token, chat: 1 }, { name: 'renamed' });
      await services.ledger.createChat(token, chatNamed(null));
      await services.ledger.createChat(token, chatNamed('to be deleted'));
      await services.ledger.createMessages({ token, chat: 3 }, contents(['x']));
      await services.ledger.deleteChat({ token, chat: 3 });
      const deleted = await newChat();
      await services.ledger.deleteApplication(deleted);
      await work();
      expect(await allOf({ token })).toEqual([]);
      expect(await allOf({ token: deleted })).toEqual([]);
      expect(await allOf({ token: newToken() })).toEqual([]);
      expect((await allOf()).filter((each) => !('token' in each) || [token, deleted].includes(each.token))).toEqual([]);
    });

    interface Planted {
      about: string;
      /** Makes the difference in a chat of three messages, or in an application that it creates. */
      plant: (token: string) => Promise<unknown>;
      /** The expected differences, without their token. */
      named: object[];
      /** Further differences that the repair names because it causes them. */
      alsoRepaired?: object[];
      /** Further expectations after the repair, when no difference is left. */
      afterwards?: (token: string) => Promise<unknown>;
    }
    const planted: Planted[] = [
      {
        about: 'a counter of messages below the stored numbers',
        plant: async (token) => {
          await services.store.merge(messageWrites(token, 1, 4, 9));
          await indexStored(token, 1, 4, 9);
        },
        named: [{ kind: 'counter too low', chat: 1, counter: 3, highest: 9 }],
        afterwards: async (token) =>
          expect(
            (await services.ledger.createMessages({ token, chat: 1 }, contents(['x', 'y']))).first,
            'a fresh number',
          ).toBe(10),
      },
      {
        about: 'a counter of chats below the stored numbers, and those chats',
        plant: async (token) => {
          await services.store.merge([chatWrite(token, 2, { name: 'second' }), messageWrite(token, 2, 5)]);
          await services.store.merge([...messageWrites(token, 2, 1, 4), deletionWrite(token, 3)]);
          await indexStored(token, 2, 1, 5);
        },
        named: [
          { kind: 'counter too low', counter: 1, highest: 3 },
          { kind: 'not in ledger', chat: 2, lacking: 'everything' },
          { kind: 'not in ledger', chat: 3, lacking: 'everything' },
        ],
        afterwards: async (token) => {
          expect((await services.ledger.createChat(token, chatNamed(null))).number).toBe(4);
          expect((await services.ledger.createMessages({ token, chat: 2 }, contents(['x']))).first).toBe(6);
          expect(await services.ledger.chat(token, 2)).toMatchObject({ name: 'second' });
          expect(await services.ledger.chat(token, 3)).toBeUndefined();
        },
      },
      {
        about: 'a chat without a row of its own, but with stored messages',
        plant: async (token) => {
          await services.store.merge([messageWrite(token, 2, 1)]);
          await indexStored(token, 2, 1, 1);
        },
        named: [
          { kind: 'counter too low', counter: 1, highest: 2 },
          { kind: 'not in ledger', chat: 2, lacking: 'everything' },
        ],
        alsoRepaired: [{ kind: 'not in store', chat: 2, lacking: 'everything', found: 'nowhere' }],
        afterwards: async (token) =>
          expect(await services.store.chat(token, 2)).toMatchObject({ number: 2, name: null }),
      },
      {
        about: 'stored edits and deletions that the ledger lacks',
        plant: async (token) => {
          await services.store.merge([
            applicationWrite(token, { revision: 2, name: 'renamed' }),
            chatWrite(token, 1, { revision: 3, name: 'renamed too' }),
            messageWrite(token, 1, 1, { revision: 4 }),
            deletionWrite(token, 1, 2),
          ]);
          await indexStored(token, 1, 1, 2);
        },
        named: [
          { kind: 'not in ledger', lacking: 'edit' },
          { kind: 'not in ledger', chat: 1, lacking: 'edit' },
          { kind: 'not in ledger', chat: 1, number: 1, lacking: 'edit' },
          { kind: 'not in ledger', chat: 1, number: 2, lacking: 'deletion' },
        ],
        afterwards: async (token) => {
          expect(await services.ledger.application(token)).toMatchObject({ name: 'renamed' });
          expect(await services.ledger.hasMessage(token, 1, 2)).toBe(false);
          await services.ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'the last edit' });
          await work();
          expect(await services.store.message(token, 1, 1)).toMatchObject({ content: { body: 'the last edit' } });
        },
      },
      {
        about: 'a deleted chat and application that the ledger has as existing',
        plant: (token) => services.store.merge([deletionWrite(token, 1), deletionWrite(token)]),
        named: [{ kind: 'not in ledger', lacking: 'deletion' }],
        afterwards: async (token) => expect(await services.ledger.application(token)).toBeUndefined(),
      },
      {
        about: 'names, a chat and a deletion that are only in the ledger',
        plant: async (token) => {
          await services.ledger.createChat(token, chatNamed('lost'));
          await services.ledger.createChat(token, chatNamed('deleted'));
          await services.ledger.deleteChat({ token, chat: 3 });
          await services.ledger.editApplication(token, 'renamed');
          await opened.queued();
        },
        named: [
          { kind: 'not in store', lacking: 'edit', found: 'nowhere' },
          { kind: 'not in store', chat: 2, lacking: 'everything', found: 'nowhere' },
          { kind: 'not in store', chat: 3, lacking: 'deletion', found: 'nowhere' },
        ],
        afterwards: async (token) => {
          const entry = (await services.ledger.chat(token, 2)) as object;
          expect(await services.store.chat(token, 2)).toEqual({ ...entry, number: 2, messagesCount: 0 });
          expect(await services.store.chat(token, 3)).toBe('deleted');
          expect(await services.store.application(token)).toMatchObject({ name: 'renamed', chatsCount: 2 });
        },
      },
      {
        about: 'an application that is only in the ledger, edited meanwhile',
        plant: async (token) => {
          await services.store.merge([deletionWrite(token)]);
          await services.ledger.deleteApplication(token);
          const other = (await services.ledger.createApplication('lost')).token;
          await services.ledger.editApplication(other, 'lost and renamed');
          await opened.queued();
          return other;
        },
        named: [{ kind: 'not in store', lacking: 'everything', found: 'nowhere' }],
        afterwards: async (token) =>
          expect(await services.store.application(token)).toMatchObject({ name: 'lost and renamed', chatsCount: 0 }),
      },
      {
        about: 'deletions of messages that are only in the ledger',
        plant: async (token) => {
          await services.ledger.createMessages({ token, chat: 1 }, contents(['4']));
          await services.ledger.deleteMessage({ token, chat: 1, number: 2 });
          await services.ledger.deleteMessage({ token, chat: 1, number: 4 });
          await opened.queued();
        },
        named: [
          { kind: 'not in store', chat: 1, number: 2, lacking: 'deletion', found: 'nowhere' },
          { kind: 'not in store', chat: 1, number: 4, lacking: 'deletion', found: 'nowhere' },
          { kind: 'not in index', chat: 1, number: 2, lacking: 'deletion' },
          { kind: 'not in index', chat: 1, number: 4, lacking: 'everything' },
        ],
        afterwards: async (token) => {
          for (const number of [2, 4]) expect(await services.store.message(token, 1, number)).toBe('deleted');
          expect((await services.searchIndex.search({ token, q: '2', limit: 10 })).matches).toEqual([]);
          expect(await messagesCount(token)).toBe(2);
        },
      },
      {
        about: 'messages that the index lacks, or has an older version of',
        plant: async (token) => {
          await services.ledger.createMessages({ token, chat: 1 }, contents(['fourth']));
          await services.ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'edited once' });
          await services.ledger.deleteMessage({ token, chat: 1, number: 2 });
          await services.store.merge(await opened.queued());
          await roll();
        },
        named: [
          { kind: 'not in index', chat: 1, number: 1, lacking: 'edit' },
          { kind: 'not in index', chat: 1, number: 2, lacking: 'deletion' },
          { kind: 'not in index', chat: 1, number: 4, lacking: 'everything' },
        ],
        afterwards: async (token) => {
          const found = async (q: string) =>
            (await services.searchIndex.search({ token, q, limit: 10 })).matches.map(({ number }) => number);
          expect(await found('edited once')).toEqual([1]);
          expect(await found('fourth')).toEqual([4]);
          expect(await found('2')).toEqual([]);
        },
      },
      {
        about: 'messages, edits and deletions that only the index has',
        plant: async (token) => {
          await services.ledger.createMessages({ token, chat: 1 }, contents(['4', '5', '6']));
          for (const _ of [1, 2]) await services.ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'edited' });
          await services.ledger.editMessage({ token, chat: 1, number: 5 }, { body: 'edited' });
          await services.ledger.deleteMessage({ token, chat: 1, number: 2 });
          await services.ledger.deleteMessage({ token, chat: 1, number: 6 });
          await opened.queued();
          await services.searchIndex.index([
            document(token, 1, { ...indexed('indexed, second edit', 2), updatedAt: 8_000 }),
            document(token, 2, indexed(null)),
            document(token, 4),
            document(token, 5, { ...indexed('indexed, first edit', 1), updatedAt: 7_000 }),
            document(token, 6, indexed(null)),
          ]);
        },
        named: [
          { kind: 'newer in index', chat: 1, number: 1, lacking: 'edit' },
          { kind: 'newer in index', chat: 1, number: 2, lacking: 'deletion' },
          { kind: 'newer in index', chat: 1, number: 4, lacking: 'everything' },
          { kind: 'newer in index', chat: 1, number: 5, lacking: 'everything' },
          { kind: 'newer in index', chat: 1, number: 6, lacking: 'everything' },
        ],
        afterwards: async (token) => {
          const message = (number: number) => services.store.message(token, 1, number);
          expect(await message(1)).toMatchObject({ content: { body: 'indexed, second edit' } });
          expect(await message(2)).toBe('deleted');
          expect(await message(4)).toEqual({
            number: 4,
            content: { ...blankContent, body: 'indexed 4' },
            createdAt: 5_000,
            updatedAt: 5_000,
          });
          expect(await message(5)).toMatchObject({
            content: { body: 'indexed, first edit' },
            createdAt: 5_000,
            updatedAt: 7_000,
          });
          expect(await message(6)).toBe('deleted');
        },
      },
      {
        about: 'counts that are too low, for example after lost marks',
        plant: async (token) => {
          await services.ledger.createChat(token, chatNamed(null));
          await services.ledger.createMessages({ token, chat: 1 }, contents(['4']));
          await services.ledger.createMessages({ token, chat: 1 }, contents(['5']));
          await services.ledger.deleteMessage({ token, chat: 1, number: 1 });
          await services.store.merge(await opened.queued());
          await indexStored(token, 1, 1, 5);
          for (const mark of await marksOf(token)) await services.store.setCounts([mark], [undefined]);
        },
        named: [
          { kind: 'wrong count', count: 1, expected: 2 },
          { kind: 'wrong count', chat: 1, count: 3, expected: 4 },
        ],
        afterwards: async (token) => {
          expect(await messagesCount(token)).toBe(4);
          expect(await services.store.application(token)).toMatchObject({ chatsCount: 2 });
        },
      },
      {
        about: 'versions that are lower than those of rows, for example after a copy of an earlier release',
        plant: async (token) => {
          await services.ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'edited' });
          await work();
          await opened.runOnStore(`DELETE FROM versions WHERE token = '${token}' AND chat = 0`);
          await opened.runOnStore(`UPDATE versions SET version = 1 WHERE token = '${token}' AND chat = 1`);
        },
        named: [
          { kind: 'version too low', version: 0, highest: 1 },
          { kind: 'version too low', chat: 1, version: 1, highest: 2 },
        ],
        afterwards: async (token) => {
          expect(await services.store.version({ token })).toBe(1);
          expect(await services.store.version({ token, chat: 1 })).toBe(2);
        },
      },
      {
        about: 'counts that are too high, for example after the ledger lost numbers that were never stored',
        plant: async (token) => {
          await services.store.recount({ token });
          await services.store.recount({ token, chat: 1 });
          for (const mark of await marksOf(token)) await services.store.setCounts([mark], [99]);
        },
        named: [
          { kind: 'wrong count', count: 99, expected: 1 },
          { kind: 'wrong count', chat: 1, count: 99, expected: 3 },
        ],
        afterwards: async (token) => {
          expect(await messagesCount(token)).toBe(3);
          expect(await services.store.application(token)).toMatchObject({ chatsCount: 1 });
        },
      },
    ];
    const marksOf = async (token: string) =>
      (await services.store.marks(limits.rollupMarks)).filter((mark) => mark.token === token);

    test.each(planted)(
      'reconcile names and repairs $about',
      async ({ plant, named, alsoRepaired = [], afterwards }) => {
        const chat = await newChat();
        const other = await plant(chat);
        const token = typeof other === 'string' ? other : chat;
        const expected = (repaired: boolean) =>
          [...named, ...(repaired ? alsoRepaired : [])].map((each) => ({ ...each, token, repaired }));
        const order = (found: object[]) => found.map((each) => JSON.stringify(each, Object.keys(each).sort())).sort();
        // Compares twice, because the first comparison must not change anything.
        for (const _ of [1, 2]) expect(order(await allOf({ token }))).toEqual(order(expected(false)));
        const all = (await allOf()).filter((each) => 'token' in each && each.token === token);
        expect(order(all)).toEqual(order(expected(false)));

        expect(order(await allOf({ token, repair: true }))).toEqual(order(expected(true)));
        await roll();
        expect(await allOf({ token, repair: true })).toEqual([]);
        await afterwards?.(token);
      },
    );

    test('reconcile compares chats of any size page by page, to the last number and beyond', async () => {
      const page = limits.numbersCompared;
      const token = await newChat(0);
      const last = 2 * page + 1;
      await takeNumbers(token, { messages: last });
      const lost = [1, page, page + 1, 2 * page, last];
      const existing = numbers(1, last).filter((number) => !lost.includes(number));
      for (let i = 0; i < existing.length; i += limits.rowsPerTransaction)
        await services.store.merge(
          existing.slice(i, i + limits.rowsPerTransaction).map((number) => messageWrite(token, 1, number)),
        );
      for (let from = 1; from <= last; from += page) await indexStored(token, 1, from, from + page - 1);
      // Many numbers far beyond the last one, and far apart.
      const beyond = numbers(1, page + 1).map((i) => last + 1_000 * i);
      for (let i = 0; i < beyond.length; i += limits.rowsPerTransaction)
        await services.searchIndex.index(
          beyond.slice(i, i + limits.rowsPerTransaction).map((number) => document(token, number)),
        );
      await roll();
      const found = await allOf({ token });
      const ofKind = (kind: Difference['kind']) =>
        found.flatMap((each) => (each.kind === kind && 'number' in each ? [each.number] : []));
      expect(ofKind('missing')).toEqual(lost);
      expect(ofKind('newer in index')).toEqual(beyond);
      expect(found).toHaveLength(lost.length + beyond.length);
    });

    test('reconcile reports how many messages it has compared, chat by chat', async () => {
      const token = await newChat(3);
      await services.ledger.createChat(token, chatNamed(null));
      await work();
      const chats: object[] = [];
      for await (const _ of reconcile(services, {
        token,
        now: clock(),
        repair: false,
        onChat: (chat) => chats.push(chat),
      }));
      expect(chats).toEqual([
        { token, chat: 1, messages: 3 },
        { token, chat: 2, messages: 0 },
      ]);
    });

    test('reconcile names stored numbers that are out of bounds without repairing them, and compares all others', async () => {
      const token = await newChat();
      const [chat, number] = [2 ** 53 - 1, 2 ** 32];
      await services.store.merge([chatWrite(token, chat), messageWrite(token, 1, number)]);
      await services.store.merge([messageWrite(token, 1, 2, { revision: 1 })]);
      await roll();
      const parents = [{ token }, { token, chat: 1 }, { token, chat }];
      const before = await services.ledger.entries(parents);
      const outOfBounds = { kind: 'out of bounds', token, side: 'store', what: 'number', repaired: false };
      const named = [
        { ...outOfBounds, value: chat },
        { ...outOfBounds, chat: 1, value: number },
      ];
      const found = await allOf({ token, repair: true });
      expect(found.filter(({ kind }) => kind === 'out of bounds')).toEqual(named);
      expect(found.filter(({ kind }) => kind !== 'out of bounds')).toMatchObject([
        { kind: 'not in ledger', number: 2, lacking: 'edit', repaired: true },
        { kind: 'not in index', number: 2, lacking: 'edit', repaired: true },
      ]);
      expect(await services.ledger.entries(parents)).toEqual(before);
      expect(await allOf({ token, repair: true })).toEqual(named);
    });

    test('a reconcile that is stopped after any difference is completed by the next one', async () => {
      const token = await newChat(1);
      await services.store.merge([...messageWrites(token, 1, 2, 4), deletionWrite(token, 1, 1), chatWrite(token, 2)]);
      await services.searchIndex.index([document(token, 5, indexed('indexed 5', 2))]);
      const everything = (await allOf({ token })).length;
      expect(everything).toBeGreaterThan(6);
      for (let runs = 0; ; runs++) {
        expect(runs).toBeLessThanOrEqual(2 * everything);
        await opened.refreshed();
        const run = reconcile(services, { token, now: clock(), repair: true });
        const { done } = await run.next();
        await run.return(undefined);
        if (done) break;
        await roll();
      }
      expect(await allOf({ token })).toEqual([]);
      expect((await services.ledger.createMessages({ token, chat: 1 }, contents(['x']))).first).toBe(6);
    });

    test('a repair removes nothing while the system accepts writes', async () => {
      const token = await newChat(1);
      let writing = true;
      const write = async () => {
        for (let i = 2; i <= 40; i += 2) {
          await services.ledger.createMessages({ token, chat: 1 }, contents([`${i}`, `${i + 1}`]));
          await services.ledger.editMessage({ token, chat: 1, number: i }, { body: 'edited' });
          if (i % 4 === 0) await services.ledger.deleteMessage({ token, chat: 1, number: i - 1 });
          await work();
        }
        writing = false;
      };
      const repair = async () => {
        while (writing)
          for await (const { kind } of reconcile(services, { token, now: clock(), repair: true }))
            expect(kind).toMatch(/missing|not in index|not in store/);
      };
      await Promise.all([write(), repair()]);
      expect(await allOf({ token, repair: true })).toEqual([]);
      const { rows } = await services.store.messages(token, 1, { order: 'asc', limit: 100 });
      const expected = numbers(1, 41).filter((number) => number % 4 !== 3 || number > 40);
      expect(rows.map(({ number, content }) => `${number} ${content.body}`)).toEqual(
        expected.map((number) => `${number} ${number % 2 ? number : 'edited'}`),
      );
      expect(await messagesCount(token)).toBe(expected.length);
    });

    describe('a missing number', () => {
      const repair = async (token: string) => (await allOf({ token, repair: true })).map(short);
      const short = (difference: Difference) => {
        if (difference.kind !== 'missing' && difference.kind !== 'void') return difference.kind;
        const { kind, chat, number, noticedAt } = difference;
        const place = number === undefined ? `${chat}` : `${chat}/${number}`;
        const found = difference.kind === 'missing' ? `, ${difference.found}` : '';
        return `${kind} ${place}${noticedAt === undefined ? '' : `, ${clock() - noticedAt} ms`}${found}`;
      };

      test('a missing number is recorded, becomes void once its write can no longer arrive, and is then no difference', async () => {
        const token = await newChat();
        await takeNumbers(token, { chats: 1, messages: 2 });
        await services.ledger.createMessages({ token, chat: 1 }, contents(['6']));
        await work();
        const before = clock();
        expect((await allOf({ token })).map(short).sort()).toEqual(
          ['missing 1/4, nowhere', 'missing 1/5, nowhere', 'missing 2, nowhere'].sort(),
        );
        expect(await services.store.missing({ token, chat: 1 }, { from: 1, to: 9 })).toEqual([]);
        expect(await services.store.missing({ token }, { from: 1, to: 9 })).toEqual([]);

        const noted = (ms: number) => ['1/4', '1/5', '2'].map((place) => `missing ${place}, ${ms} ms, nowhere`).sort();
        expect((await repair(token)).sort()).toEqual(noted(0));
        clock.advance(limits.voidAfterMs - 1);
        expect((await repair(token)).sort()).toEqual(noted(limits.voidAfterMs - 1));
        clock.advance(1);
        expect((await allOf({ token })).map(short).sort()).toEqual(noted(limits.voidAfterMs));
        expect(await messagesCount(token)).toBe(6);
        expect(await services.store.missingNumbers({ token, chat: 1, from: 1, to: 6 }, { max: 10 })).toEqual([4, 5]);

        const voided = await allOf({ token, repair: true });
        expect(voided).toContainEqual({ kind: 'void', token, chat: 1, number: 5, noticedAt: before, repaired: true });
        expect(voided).toContainEqual({ kind: 'void', token, chat: 2, noticedAt: before, repaired: true });
        expect(voided).toHaveLength(3);
        await roll();
        expect(await allOf({ token, repair: true })).toEqual([]);
        expect(await services.store.message(token, 1, 5)).toBe('void');
        expect(await services.store.missingNumbers({ token, chat: 1, from: 1, to: 6 }, { max: 10 })).toEqual([]);
        expect(await messagesCount(token)).toBe(4);
        expect(await services.store.application(token)).toMatchObject({ chatsCount: 1 });
        // Void or not, the number is not assigned again.
        expect((await services.ledger.createMessages({ token, chat: 1 }, contents(['7']))).first).toBe(7);
        expect((await services.ledger.createChat(token, chatNamed(null))).number).toBe(3);
      });

      test('a missing number that was recorded by a clock that was ahead is recorded again, and becomes void in time', async () => {
        const token = await newChat();
        await takeNumbers(token, { messages: 1 });
        await services.store.noteMissing({ token, chat: 1 }, [4], clock() + 40 * 24 * 60 * 60 * 1_000);
        expect(await repair(token)).toEqual(['missing 1/4, 0 ms, nowhere']);
        clock.advance(limits.voidAfterMs);
        expect(await repair(token)).toEqual([`void 1/4, ${limits.voidAfterMs} ms`]);
      });

      test('a missing number is forgotten when its write has arrived', async () => {
        const token = await newChat();
        await takeNumbers(token, { chats: 1, messages: 1 });
        expect((await repair(token)).sort()).toEqual(['missing 1/4, 0 ms, nowhere', 'missing 2, 0 ms, nowhere']);
        await services.store.merge([messageWrite(token, 1, 4), chatWrite(token, 2)]);
        await services.ledger.restore({
          token,
          chat: 2,
          name: 'c',
          metadata: null,
          revision: 0,
          deleted: false,
          createdAt: 1,
          updatedAt: 1,
          highest: 0,
        });
        await indexStored(token, 1, 4, 4);
        await roll();
        expect(await repair(token)).toEqual([]);
        expect(await services.store.missing({ token, chat: 1 }, { from: 1, to: 9 })).toEqual([]);
        expect(await services.store.missing({ token }, { from: 1, to: 9 })).toEqual([]);
      });

      test('a number with an edit but no creation stays missing', async () => {
        const token = await newChat();
        await takeNumbers(token, { messages: 1 });
        await services.ledger.editMessage({ token, chat: 1, number: 4 }, { body: 'an edit' });
        await work();
        await repair(token);
        clock.advance(limits.voidAfterMs);
        expect(await repair(token)).toEqual([`void 1/4, ${limits.voidAfterMs} ms`]);
        expect(await repair(token)).toEqual([]);
      });

      test('a void number whose write arrives late is found again and stays', async () => {
        const token = await newChat();
        await takeNumbers(token, { messages: 1 });
        await repair(token);
        clock.advance(limits.voidAfterMs);
        await repair(token);
        await services.store.merge([messageWrite(token, 1, 4, { body: 'late' })]);
        await indexStored(token, 1, 4, 4);
        await roll();
        expect(await repair(token)).toEqual([]);
        expect(await services.store.message(token, 1, 4)).toMatchObject({ content: { body: 'late' } });
        expect(await messagesCount(token)).toBe(4);
      });

      test('a missing number never becomes void while its write is queued or a dead letter, and its time starts again afterwards', async () => {
        const token = await newChat();
        await opened.whileWritesWait(async () => {
          await services.ledger.createMessages({ token, chat: 1 }, contents(['4', '5']));
          await services.ledger.createChat(token, chatNamed('waits'));
        });
        await takeNumbers(token, { messages: 1 });
        const key = { token, chat: 1, number: 6 };
        const deadWrite: Write = { kind: 'message', ...key, revision: 0, at: 1, content: { body: '6' } };
        // As if the number had been recorded before its write became a dead letter.
        await services.store.noteMissing({ token, chat: 1 }, [4, 6], clock());
        await opened.addDeadLetters([{ body: encodeWrites([deadWrite]), reason: 'because' }]);
        clock.advance(limits.voidAfterMs);
        const named = ['missing 1/4, waiting', 'missing 1/5, waiting', 'missing 1/6, dead letter'];
        const chats = (await allOf({ token })).filter(({ kind }) => kind === 'not in store');
        expect(chats).toMatchObject([{ chat: 2, lacking: 'everything', found: 'waiting' }]);
        expect((await repair(token)).sort()).toEqual([...named, 'not in store'].sort());
        clock.advance(limits.voidAfterMs);
        expect((await repair(token)).sort()).toEqual(named);
        expect(await services.store.missing({ token, chat: 1 }, { from: 1, to: 9 })).toEqual([]);
        expect(await services.store.missingNumbers({ token, chat: 1, from: 1, to: 6 }, { max: 10 })).toEqual([4, 5, 6]);
      });

      test('a missing number does not become void while an unreadable dead letter exists, because that may be its write', async () => {
        const token = await newChat();
        await takeNumbers(token, { messages: 1 });
        await repair(token);
        clock.advance(limits.voidAfterMs);
        await opened.addDeadLetters([{ body: JSON.stringify(indexed('indexed 5', 2)), reason: 'of another version' }]);
        const found = await allOf({ token, repair: true });
        expect(found[0]).toMatchObject({ kind: 'unreadable dead letter', reason: expect.stringContaining('version') });
        expect(found.slice(1).map(short)).toEqual([`missing 1/4, ${limits.voidAfterMs} ms, nowhere`]);
      });
    });
  });
}
