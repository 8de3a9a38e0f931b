import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../../lib/limits.ts';
import { blankContent } from '../../../lib/model/content.ts';
import type { Parent } from '../../../lib/model/keys.ts';
import type { Write } from '../../../lib/model/write.ts';
import { rollUp } from '../../../lib/rollup/rollup.ts';
import type { Mark } from '../../../lib/store/counting.ts';
import type { MergedMessage } from '../../../lib/store/merging.ts';
import type { Purge } from '../../../lib/store/purging.ts';
import type { ListRange, Rows, StoredApplication, StoredMessage } from '../../../lib/store/reads.ts';
import type { Store } from '../../../lib/store/store.ts';
import { allPages, purgeAll } from '../../support/client/all-pages.ts';
import { deliveries, expectedState, highestNumber, history, stateOf } from '../../support/histories/histories.ts';
import {
  applicationWrite,
  chatWrite,
  deletionWrite,
  messageWrite,
  messageWrites,
  numbers,
} from '../../support/histories/writes.ts';
import { hardText } from '../../support/texts/hard-texts.ts';

export interface StoreUnderTest {
  store: Store;
  /** Returns the same data after a restart, and closes this store. */
  reopen: () => Promise<StoreUnderTest>;
  close: () => Promise<void>;
}

/** The contract of every store. The tests share one store, as clients do, and each uses applications of its own. */
export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`the store, ${name}`, () => {
    let opened: StoreUnderTest;
    let store: Store;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(() => opened.close());

    const newToken = () => randomUUID();
    const range = (more: Partial<ListRange> = {}): ListRange => ({ order: 'asc', limit: 100, ...more });
    const numbersOf = ({ rows, more }: { rows: { number: number }[]; more: boolean }) => ({
      numbers: rows.map(({ number }) => number),
      more,
    });

    describe('merging', () => {
      test('any order, repetition and grouping of the same writes results in the same state', async () => {
        // Each history is delivered in two ways to two applications, with roll-ups in between.
        const cases = history.chain((writes) => fc.tuple(fc.constant(writes), deliveries(writes), deliveries(writes)));
        await fc.assert(
          fc.asyncProperty(cases, async ([writes, ...ways]) => {
            for (const way of ways) {
              const token = newToken();
              // The ledger is ahead of the store.
              const counters = async (parents: Parent[]) =>
                parents.map((parent) => (parent.token === token ? highestNumber(writes, parent.chat) : undefined));
              for (const { batch, countAfter } of way) {
                await store.merge(batch.map((write) => ({ ...write, token })));
                if (countAfter) await rollUp(store, { counters });
              }
              await rollUp(store, { counters });
              const expected = expectedState(writes, token);
              expect(await stateOf(store, token)).toEqual(expected);

              for (const purge of (await store.purges(Number.MAX_SAFE_INTEGER)).filter((due) => due.token === token)) {
                while ((await store.purgeRows(purge, 2)) > 0);
                await store.endPurge(purge);
              }
              // Then everything below something deleted is gone, and the rest is unchanged.
              expect(await stateOf(store, token)).toEqual(expected);
              const gone = [1, 2].filter((chat) => /gone|deleted/.test(String(expected.chats[chat - 1]?.chat)));
              const keys = gone.flatMap((chat) => [1, 2, 3].map((number) => ({ token, chat, number })));
              expect(await store.merged(keys)).toEqual([]);
            }
          }),
          { numRuns: 100 },
        );
      });

      test('batches that are merged concurrently result in the same state', async () => {
        const token = newToken();
        const writes = [
          applicationWrite(token),
          chatWrite(token, 1),
          ...numbers(0, 9).flatMap((revision) =>
            numbers(1, 5).map((number) => messageWrite(token, 1, number, { revision })),
          ),
          deletionWrite(token, 1, 5),
        ];
        const batches = numbers(1, 8).map((i) => writes.toSorted((a, b) => hash(a, i) - hash(b, i)));
        await Promise.all(batches.map((batch) => store.merge(batch)));
        const { rows } = await store.messages(token, 1, range());
        expect(rows.map(({ content }) => content.body)).toEqual(numbers(1, 4).map((i) => `message 1/${i}, revision 9`));
      });

      test('each chat of a batch gets exactly its messages and edits, however many they are', async () => {
        const token = newToken();
        const sizes = [1, 9, 10, 11, 50, 51, 121];
        const writes = sizes.flatMap((size, i) => [
          ...messageWrites(token, i + 1, 1, size),
          messageWrite(token, i + 1, size, { revision: 1 }),
        ]);
        const shuffled = writes.toSorted((a, b) => hash(a, 1) - hash(b, 1));
        const chats = sizes.map((_, i) => ({ token, chat: i + 1, version: 1 }));
        expect((await store.merge(shuffled)).toSorted((a, b) => Number(a.chat) - Number(b.chat))).toEqual(chats);
        for (const [i, size] of sizes.entries()) {
          const chat = i + 1;
          const { rows } = await store.messages(token, chat, range({ limit: limits.rowsPerTransaction }));
          const bodies = numbers(1, size - 1).map((number) => `message ${chat}/${number}, revision 0`);
          expect(rows.map(({ content }) => content.body)).toEqual([...bodies, `message ${chat}/${size}, revision 1`]);
        }
      });

      test('the highest revision wins, whatever arrives last', async () => {
        const token = newToken();
        await store.merge([messageWrite(token, 1, 1, { revision: 2, body: 'two' })]);
        await store.merge([messageWrite(token, 1, 1, { body: 'zero', at: 3_000 })]);
        await store.merge([messageWrite(token, 1, 1, { revision: 1, body: 'one' })]);
        expect(await store.message(token, 1, 1)).toMatchObject({ content: { body: 'two' }, createdAt: 3_000 });
      });

      test('edits of the body and of the metadata never undo each other, in any order, and no edit changes the sender', async () => {
        const created = { sender: 'ada', body: 'one', metadata: '{"n":1}' };
        const edits = [{ body: 'two' }, { metadata: '{"n":2}' }, { metadata: null }, { body: 'three' }];
        const merged = { sender: 'ada', body: 'three', metadata: null };
        for (const order of [
          [0, 1, 2, 3, 4],
          [4, 3, 2, 1, 0],
          [3, 0, 4, 2, 1],
          [2, 4, 0, 1, 3],
        ]) {
          const token = newToken();
          const key = { kind: 'message', token, chat: 1, number: 1 } as const;
          const writes: Write[] = [
            { ...key, revision: 0, at: 1_000, content: created },
            ...edits.map((content, i): Write => ({ ...key, revision: i + 1, at: 1_001 + i, content })),
          ];
          for (const i of order) await store.merge([writes[i] as Write]);
          expect(await store.message(token, 1, 1)).toEqual({
            number: 1,
            content: merged,
            createdAt: 1_000,
            updatedAt: 1_004,
          });
          expect(await store.merged([key])).toMatchObject([{ revisions: { body: 4, metadata: 3 } }]);
          expect((await store.messages(token, 1, range())).rows).toMatchObject([{ content: merged }]);
        }
      });

      test('edits of the name and of the metadata of a chat never undo each other, in any order', async () => {
        const edits = [{ name: 'two' }, { metadata: '{"n":2}' }, { metadata: null }, { name: null }];
        for (const order of [
          [0, 1, 2, 3, 4],
          [4, 3, 2, 1, 0],
          [3, 0, 4, 2, 1],
        ]) {
          const token = newToken();
          const key = { kind: 'chat', token, chat: 1 } as const;
          const writes: Write[] = [
            { ...key, revision: 0, at: 1_000, name: 'one', metadata: '{"n":1}' },
            ...edits.map((change, i): Write => ({ ...key, revision: i + 1, at: 1_001 + i, ...change })),
          ];
          for (const i of order.slice(0, 4)) await store.merge([writes[i] as Write]);
          await store.merge([writes[order[4] as number] as Write, writes[0] as Write]);
          expect(await store.chat(token, 1)).toMatchObject({ name: null, metadata: null, updatedAt: 1_004 });
          expect((await store.mergedChats(token, { from: 1, to: 1 })).get(1)).toMatchObject({ revision: 4 });
          await store.merge([{ ...key, revision: 5, at: 1_005, metadata: '{"n":5}' }]);
          expect(await store.chat(token, 1)).toMatchObject({ name: null, metadata: '{"n":5}', updatedAt: 1_005 });
          expect((await store.mergedChats(token, { from: 1, to: 1 })).get(1)).toMatchObject({ revision: 5 });
        }
      });

      test('senders are kept exactly, and nothing of a deleted message is kept', async () => {
        const token = newToken();
        const senders = ['Ada', 'ada', 'adá', 'ada ', '\u{1F469}'.repeat(255)];
        await store.merge(senders.map((sender, i) => messageWrite(token, 1, i + 1, { sender, metadata: '{"a":1}' })));
        const { rows } = await store.messages(token, 1, range());
        expect(rows.map(({ content }) => content.sender)).toEqual(senders);
        await store.merge(senders.map((_, i) => deletionWrite(token, 1, i + 1)));
        for (const { content } of await store.merged(senders.map((_, i) => ({ token, chat: 1, number: i + 1 }))))
          expect(content).toEqual(blankContent);
      });

      test('an edit that arrives before its creation stays hidden until the creation arrives', async () => {
        const token = newToken();
        await store.merge([
          applicationWrite(token, { revision: 1 }),
          chatWrite(token, 1, { revision: 1 }),
          messageWrite(token, 1, 1, { revision: 1 }),
        ]);
        expect(await store.application(token)).toBe('unknown');
        expect(await store.chat(token, 1)).toBe('unknown');
        expect(await store.message(token, 1, 1)).toBe('unknown');
        expect(await store.chats(token, range())).toEqual({ rows: [], more: false });
        expect(await store.messages(token, 1, range())).toEqual({ rows: [], more: false });
        await store.merge([applicationWrite(token), chatWrite(token, 1), messageWrite(token, 1, 1)]);
        expect(await store.application(token)).toMatchObject({ name: 'application, revision 1', createdAt: 1_000 });
        expect(await store.chat(token, 1)).toMatchObject({ name: 'chat 1, revision 1', createdAt: 2_010 });
        expect(await store.message(token, 1, 1)).toMatchObject({
          content: { body: 'message 1/1, revision 1' },
          createdAt: 3_010,
        });
      });

      test('a deletion wins over every revision, before and after it', async () => {
        const token = newToken();
        await store.merge([applicationWrite(token), chatWrite(token, 1), ...messageWrites(token, 1, 1, 3)]);
        await store.merge([deletionWrite(token, 1, 1), deletionWrite(token, 1, 2)]);
        await store.merge([messageWrite(token, 1, 1, { revision: 7 }), messageWrite(token, 1, 2)]);
        expect(await store.message(token, 1, 1)).toBe('deleted');
        expect(await store.message(token, 1, 2)).toBe('deleted');
        expect(numbersOf(await store.messages(token, 1, range())).numbers).toEqual([3]);
        // The store keeps nothing of a deleted text.
        const [row] = await store.merged([{ token, chat: 1, number: 1 }]);
        expect(row).toMatchObject({ deleted: true, content: blankContent });
      });

      test('nothing is stored below something deleted, in the same batch or later', async () => {
        const token = newToken();
        const keys = numbers(1, 3).map((number) => ({ token, chat: 1, number }));
        // In the batch, the deletion comes after the writes that it removes.
        await store.merge([messageWrite(token, 1, 1), chatWrite(token, 1), deletionWrite(token, 1)]);
        await store.merge([messageWrite(token, 1, 2), messageWrite(token, 1, 3, { revision: 4 })]);
        expect(await store.merged(keys)).toEqual([]);

        await store.merge([messageWrite(token, 2, 1), deletionWrite(token)]);
        await store.merge([chatWrite(token, 3), messageWrite(token, 3, 1), applicationWrite(token, { revision: 5 })]);
        expect(await store.merged([2, 3].map((chat) => ({ token, chat, number: 1 })))).toEqual([]);
        expect(await store.application(token)).toBe('deleted');
        expect(await store.chat(token, 3)).not.toHaveProperty('name');
      });

      test('a chat of a deleted application is deleted', async () => {
        const token = newToken();
        await store.merge([applicationWrite(token), chatWrite(token, 1)]);
        await store.merge([deletionWrite(token)]);
        expect(await store.chat(token, 1)).toBe('deleted');
      });

      test('no client sees an update time before the creation time, even if the clocks of two machines differ', async () => {
        const token = newToken();
        await store.merge([applicationWrite(token, { at: 5_000 })]);
        await store.merge([applicationWrite(token, { revision: 1, at: 4_000 })]);
        expect(await store.application(token)).toMatchObject({ createdAt: 5_000, updatedAt: 5_000 });
      });

      test('a batch is stored completely or not at all', async () => {
        const token = newToken();
        const broken = { ...applicationWrite(newToken()), name: null } as unknown as Write;
        await expect(store.merge([chatWrite(token, 1), messageWrite(token, 1, 1), broken])).rejects.toThrow();
        expect(await store.chat(token, 1)).toBe('unknown');
        expect(await store.merged([{ token, chat: 1, number: 1 }])).toEqual([]);
        await store.merge([chatWrite(token, 1)]);
        expect(await store.chat(token, 1)).toMatchObject({ number: 1 });
      });

      test('every character of names and bodies is stored unchanged', async () => {
        const token = newToken();
        const odd = ' \u0001\u007f\u0085 \u{1F600}e\u0301\u202E\uFFFD\uFFFE\uFFFF\u{10FFFF} \\ \' " % _ \u2028\t\r\n ';
        const longest = '\u{1F469}'.repeat(limits.bodyLength);
        await store.merge([
          applicationWrite(token, { name: '\u{1F469}'.repeat(limits.nameLength) }),
          chatWrite(token, 1, { name: odd }),
          chatWrite(token, 2, { name: null }),
          messageWrite(token, 1, 1, { body: odd }),
          messageWrite(token, 1, 2, { body: longest }),
        ]);
        expect(await store.application(token)).toMatchObject({ name: '\u{1F469}'.repeat(limits.nameLength) });
        expect(await store.chat(token, 1)).toMatchObject({ name: odd });
        expect(await store.chat(token, 2)).toMatchObject({ name: null });
        expect(await store.message(token, 1, 1)).toMatchObject({ content: { body: odd } });
        expect(await store.message(token, 1, 2)).toMatchObject({ content: { body: longest } });
      });

      test('names and bodies are read as they were written, whatever they contain', async () => {
        const texts = fc.array(hardText, { minLength: 1, maxLength: 20 });
        await fc.assert(
          fc.asyncProperty(texts, async (bodies) => {
            const token = newToken();
            await store.merge([
              applicationWrite(token, { name: bodies[0] as string }),
              chatWrite(token, 1, { name: bodies.at(-1) as string }),
              ...bodies.map((body, i) => messageWrite(token, 1, i + 1, { body })),
            ]);
            expect(await store.application(token)).toMatchObject({ name: bodies[0] });
            expect(await store.chat(token, 1)).toMatchObject({ name: bodies.at(-1) });
            const read = await store.merged(bodies.map((_, i) => ({ token, chat: 1, number: i + 1 })));
            expect(read.toSorted((a, b) => a.number - b.number).map(({ content }) => content.body)).toEqual(bodies);
          }),
          { numRuns: 50 },
        );
      });

      test('tokens that differ only in case belong to different applications', async () => {
        const token = `${newToken()}a`;
        await store.merge([applicationWrite(token), messageWrite(token, 1, 1)]);
        const upper = `${token.slice(0, -1)}A`;
        expect(await store.application(upper)).toBe('unknown');
        expect(await store.message(upper, 1, 1)).toBe('unknown');
      });

      test('a restart keeps everything that was merged', async () => {
        const token = newToken();
        await store.merge([applicationWrite(token), chatWrite(token, 1), messageWrite(token, 1, 1)]);
        await store.merge([deletionWrite(token, 2)]);
        opened = await opened.reopen();
        store = opened.store;
        expect(await store.message(token, 1, 1)).toMatchObject({ number: 1 });
        expect(await store.chat(token, 2)).toBe('deleted');
      });
    });

    describe('lists', () => {
      test('chats and messages are listed by number in both directions, from either end, page by page', async () => {
        const token = newToken();
        await store.merge([applicationWrite(token), ...numbers(1, 12).map((number) => chatWrite(token, number))]);
        await store.merge([...messageWrites(token, 3, 1, 12), messageWrite(token, 4, 1)]);
        await store.merge([deletionWrite(token, 5), deletionWrite(token, 3, 5)]);
        for (const list of [
          (range: ListRange) => store.chats(token, range),
          (range: ListRange) => store.messages(token, 3, range),
        ]) {
          const listed = async (more: Partial<ListRange>) => numbersOf(await list(range(more)));
          const all = [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12];
          expect(await listed({})).toEqual({ numbers: all, more: false });
          expect(await listed({ order: 'desc' })).toEqual({ numbers: all.toReversed(), more: false });
          expect(await listed({ limit: 3 })).toEqual({ numbers: [1, 2, 3], more: true });
          expect(await listed({ limit: 3, after: 3 })).toEqual({ numbers: [4, 6, 7], more: true });
          expect(await listed({ limit: 3, after: 9 })).toEqual({ numbers: [10, 11, 12], more: false });
          expect(await listed({ limit: 3, order: 'desc', before: 4 })).toEqual({ numbers: [3, 2, 1], more: false });
          expect(await listed({ limit: 2, order: 'desc', before: 9, after: 3 })).toEqual({
            numbers: [8, 7],
            more: true,
          });
          expect(await listed({ after: 3, before: 6 })).toEqual({ numbers: [4], more: false });
          expect(await listed({ after: 12 })).toEqual({ numbers: [], more: false });
          expect(await listed({ before: 0 })).toEqual({ numbers: [], more: false });
          expect(await listed({ after: Number.MAX_SAFE_INTEGER })).toEqual({ numbers: [], more: false });
        }
      });

      test('only messages that are stored below a stored chat and application exist', async () => {
        const token = newToken();
        const existing = async () => [
          (await store.existingMessage(token, 1, 1))?.content.body,
          numbersOf(await store.existingMessages(token, 1, range())).numbers,
        ];
        await store.merge([messageWrite(token, 1, 1, { body: 'here' }), messageWrite(token, 1, 2)]);
        expect(await existing()).toEqual([undefined, []]);
        await store.merge([applicationWrite(token), chatWrite(token, 1, { revision: 1 })]);
        expect(await existing()).toEqual([undefined, []]);
        await store.merge([chatWrite(token, 1)]);
        expect(await existing()).toEqual(['here', [1, 2]]);
        expect(await store.existingMessage(token, 1, 3)).toBeUndefined();
        await store.merge([deletionWrite(token, 1, 2)]);
        expect(await store.existingMessage(token, 1, 2)).toBeUndefined();
        expect(await existing()).toEqual(['here', [1]]);
        await store.merge([deletionWrite(token)]);
        expect(await existing()).toEqual([undefined, []]);

        const other = newToken();
        await store.merge([chatWrite(other, 1), messageWrite(other, 1, 1)]);
        expect(await store.existingMessage(other, 1, 1)).toBeUndefined();
        await store.merge([applicationWrite(other)]);
        expect(await store.existingMessage(other, 1, 1)).toEqual(await store.message(other, 1, 1));
        const last = range({ limit: 1, order: 'desc' });
        expect(await store.existingMessages(other, 1, last)).toEqual(await store.messages(other, 1, last));
        await store.merge([deletionWrite(other, 1)]);
        expect(await store.existingMessage(other, 1, 1)).toBeUndefined();
        expect(await store.existingMessages(other, 1, range())).toEqual({ rows: [], more: false });
      });

      test('a page of long messages ends early, and the next one continues after it', async () => {
        const token = newToken();
        const body = '\u{1F600}'.repeat(5_000);
        await store.merge(numbers(1, 300).map((number) => messageWrite(token, 1, number, { body })));
        for (const order of ['asc', 'desc'] as const) {
          const pages = await allPages(
            (last: Rows<StoredMessage> | undefined) => {
              const from = last?.rows.at(-1)?.number;
              const beyond = order === 'asc' ? { after: from } : { before: from };
              return store.messages(token, 1, range({ order, limit: 300, ...beyond }));
            },
            ({ more }) => more,
          );
          expect(pages.length).toBeGreaterThan(1);
          const found = pages.flatMap(({ rows }) => rows.map(({ number }) => number));
          expect(found).toEqual(order === 'asc' ? numbers(1, 300) : numbers(1, 300).reverse());
        }
      });

      test('applications are listed by creation time and then token, in both directions, page by page', async () => {
        const prefix = newToken();
        const tokens = ['d', 'b', 'c', 'a', 'e', 'f'].map((letter) => `${prefix}${letter}`);
        const [d, b, c, a, deleted, hidden] = tokens as [string, string, string, string, string, string];
        await store.merge([
          applicationWrite(d, { at: 1_000 }),
          applicationWrite(b, { at: 2_000 }),
          applicationWrite(c, { at: 2_000 }),
          applicationWrite(a, { at: 3_000 }),
          applicationWrite(deleted, { at: 2_000 }),
          deletionWrite(deleted),
          applicationWrite(hidden, { at: 2_000, revision: 1 }),
        ]);
        for (const order of ['asc', 'desc'] as const) {
          const pages = await allPages(
            (last: Rows<StoredApplication> | undefined) =>
              store.applications({ order, limit: 2, after: last?.rows.at(-1) }),
            ({ more }) => more,
          );
          for (const { rows } of pages) expect(rows.length).toBeLessThanOrEqual(2);
          const found = pages
            .flatMap(({ rows }) => rows.map(({ token }) => token))
            .filter((token) => token.startsWith(prefix));
          expect(found).toEqual(order === 'asc' ? [d, b, c, a] : [a, c, b, d]);
        }
      });

      test('the missing numbers of a range are returned in its direction, up to a limit', async () => {
        const token = newToken();
        await store.merge(numbers(1, 10).flatMap((n) => (n % 3 ? [messageWrite(token, 1, n)] : [])));
        await store.merge([deletionWrite(token, 1, 3), messageWrite(token, 1, 6, { revision: 1 })]);
        const missing = (from: number, to: number, max = 100) =>
          store.missingNumbers({ token, chat: 1, from, to }, { max });
        // Number 3 is deleted, so it is not missing; of 6 only an edit has arrived.
        expect(await missing(1, 10)).toEqual([6, 9]);
        expect(await missing(10, 1)).toEqual([9, 6]);
        expect(await missing(6, 9)).toEqual([6, 9]);
        expect(await missing(9, 6)).toEqual([9, 6]);
        expect(await missing(7, 8)).toEqual([]);
        expect(await missing(6, 6)).toEqual([6]);
        expect(await missing(9, 13)).toEqual([9, 11, 12, 13]);
        expect(await missing(13, 9)).toEqual([13, 12, 11, 9]);
        expect(await missing(9, 13, 2)).toEqual([9, 11]);
        expect(await missing(13, 9, 3)).toEqual([13, 12, 11]);
        expect(await missing(50_000, 1, 3)).toEqual([50_000, 49_999, 49_998]);
        expect(await store.missingNumbers({ token, chat: 2, from: 1, to: 3 }, { max: 100 })).toEqual([1, 2, 3]);
        // Messages 4 and 8 were stored after the page was read.
        expect(
          await store.missingNumbers({ token, chat: 1, from: 1, to: 10 }, { max: 100, listed: [1, 2, 5, 7, 10] }),
        ).toEqual([4, 6, 8, 9]);
      });

      test('the existing chats of a set are those that are not deleted, whether they are stored yet or not', async () => {
        const token = newToken();
        await store.merge([chatWrite(token, 1), chatWrite(token, 2), deletionWrite(token, 2), deletionWrite(token, 4)]);
        expect(await store.existingChats(token, [1, 2, 3, 4])).toEqual(new Set([1, 3]));
        expect(await store.existingChats(token, [])).toEqual(new Set());
      });

      test('a scan returns every message once by key, whatever the size of its pages', async () => {
        // Chats are neighbours by key, so that no messages of other tests lie between them.
        const stem = newToken().slice(0, -1);
        const [before, behind] = [`${stem}A`, `${stem}g`];
        const tokens = [before, behind];
        for (const token of tokens) for (const chat of [1, 2, 10]) await store.merge(messageWrites(token, chat, 1, 3));
        await store.merge([deletionWrite(before, 2, 2), messageWrite(behind, 2, 9, { revision: 4 })]);
        const keys = tokens.flatMap((token) =>
          [1, 2, 10].flatMap((chat) => numbers(1, 3).map((number) => ({ token, chat, number }))),
        );
        keys.splice(-3, 0, { token: behind, chat: 2, number: 9 });
        for (const size of [1, 2, 4, 1_000]) {
          const pages = await allPages(
            (page: MergedMessage[] | undefined) =>
              store.scan(size, page?.at(-1) ?? { token: before, chat: 0, number: 0 }),
            (page) => page.length === size && (page.at(-1)?.token ?? '') <= behind,
          );
          const rows = pages.flat().filter(({ token }) => tokens.includes(token));
          expect(rows.map(({ token, chat, number }) => ({ token, chat, number }))).toEqual(keys);
          expect(rows).toEqual(expect.arrayContaining(await store.merged(keys)));
        }
      });

      test('merged rows of many chats are read in one call, as they are stored', async () => {
        const [token, other] = [newToken(), newToken()];
        await store.merge([
          messageWrite(token, 1, 1, { at: 10 }),
          messageWrite(token, 1, 1, { revision: 3, at: 13, body: 'edited' }),
          messageWrite(token, 2, 1, { revision: 1, at: 21, body: 'an edit alone' }),
          messageWrite(token, 2, 2),
          deletionWrite(token, 2, 2),
          messageWrite(other, 1, 1, { at: 30, body: 'elsewhere' }),
          messageWrite(other, 1, 2),
        ]);
        const rows = await store.merged([
          { token, chat: 1, number: 1 },
          { token, chat: 2, number: 1 },
          { token, chat: 2, number: 2 },
          { token, chat: 2, number: 3 },
          { token: other, chat: 1, number: 1 },
        ]);
        expect(rows).toHaveLength(4);
        expect(rows).toEqual(
          expect.arrayContaining([
            {
              token,
              chat: 1,
              number: 1,
              revisions: { body: 3, metadata: 0 },
              deleted: false,
              content: { ...blankContent, body: 'edited' },
              createdAt: 10,
              updatedAt: 13,
            },
            {
              token,
              chat: 2,
              number: 1,
              revisions: { body: 1, metadata: 0 },
              deleted: false,
              content: { ...blankContent, body: 'an edit alone' },
              createdAt: null,
              updatedAt: 21,
            },
            expect.objectContaining({ token, chat: 2, number: 2, deleted: true, content: blankContent }),
            expect.objectContaining({ token: other, content: { ...blankContent, body: 'elsewhere' } }),
          ]),
        );
        expect(await store.merged([])).toEqual([]);
        await store.merge(messageWrites(token, 9, 1, limits.rowsPerTransaction));
        const many = numbers(1, limits.rowsPerTransaction).map((number) => ({ token, chat: 9, number }));
        expect(await store.merged(many)).toHaveLength(limits.rowsPerTransaction);
      });
    });

    describe('counting', () => {
      const marksOf = async (token: string) => {
        const pages = await allPages(
          (last: Mark[] | undefined) => store.marks(2, last?.at(-1)),
          (page) => page.length > 0,
        );
        const found = pages.flat();
        const keys = found.map((mark) => `${mark.token}/${mark.chat ?? ''}`);
        expect(new Set(keys).size).toBe(keys.length);
        return found.filter((mark) => mark.token === token);
      };
      const markOf = async (token: string, chat?: number) =>
        (await marksOf(token)).find((mark) => mark.chat === chat) as Mark;
      const countOf = async (token: string, chat: number) => {
        const stored = await store.chat(token, chat);
        return typeof stored === 'string' ? stored : stored.messagesCount;
      };

      test('a changed message marks its chat, and a changed chat marks its application', async () => {
        const token = newToken();
        await store.merge([applicationWrite(token), chatWrite(token, 1), chatWrite(token, 2)]);
        for (const mark of await marksOf(token)) await store.setCounts([mark], [0]);
        expect(await marksOf(token)).toEqual([]);
        await store.merge([messageWrite(token, 1, 1), deletionWrite(token, 2)]);
        expect((await marksOf(token)).map(({ chat }) => chat).sort()).toEqual([1, undefined]);
      });

      test('a count is the highest assigned number minus the deleted ones, and setting it clears its mark', async () => {
        const token = newToken();
        await store.merge([applicationWrite(token), chatWrite(token, 1), chatWrite(token, 2), deletionWrite(token, 2)]);
        await store.merge([...messageWrites(token, 1, 1, 3), deletionWrite(token, 1, 3)]);
        await store.setCounts([await markOf(token, 1)], [4]);
        await store.setCounts([await markOf(token)], [5]);
        expect(await countOf(token, 1)).toBe(3);
        expect(await store.application(token)).toMatchObject({ chatsCount: 4 });
        expect((await marksOf(token)).filter(({ chat }) => chat !== 2)).toEqual([]);
      });

      test('a mark that changed meanwhile is kept', async () => {
        const token = newToken();
        await store.merge([chatWrite(token, 1), messageWrite(token, 1, 1)]);
        const mark = await markOf(token, 1);
        await store.merge([messageWrite(token, 1, 2)]);
        await store.setCounts([mark], [2]);
        expect(await countOf(token, 1)).toBe(2);
        const again = await markOf(token, 1);
        expect(again.tag).not.toBe(mark.tag);
        await store.setCounts([again], [2]);
        expect(await marksOf(token)).not.toContainEqual(expect.objectContaining({ chat: 1 }));
      });

      test('an older count never replaces a newer one, for example when two roll-ups run at once', async () => {
        const token = newToken();
        await store.merge([chatWrite(token, 1), ...messageWrites(token, 1, 1, 5)]);
        const mark = await markOf(token, 1);
        await store.setCounts([mark], [5]);
        await store.setCounts([mark], [3]);
        expect(await countOf(token, 1)).toBe(5);
        await store.merge([deletionWrite(token, 1, 2)]);
        await store.setCounts([await markOf(token, 1)], [5]);
        await store.setCounts([mark], [5]);
        expect(await countOf(token, 1)).toBe(4);
      });

      test('a count is never below 0, even if a restored ledger has assigned fewer numbers than are deleted', async () => {
        const token = newToken();
        await store.merge([chatWrite(token, 1), chatWrite(token, 2)]);
        await store.merge([...messageWrites(token, 1, 1, 2), messageWrite(token, 2, 1)]);
        await store.merge([deletionWrite(token, 1, 1), deletionWrite(token, 1, 2)]);
        await store.setCounts([await markOf(token, 1), await markOf(token, 2)], [1, 1]);
        expect([await countOf(token, 1), await countOf(token, 2)]).toEqual([0, 1]);
      });

      test('marks of applications and chats are counted together, each with its own count', async () => {
        const [token, other] = [newToken(), newToken()];
        await store.merge([applicationWrite(token), applicationWrite(other), deletionWrite(token, 3)]);
        await store.merge([chatWrite(token, 1), chatWrite(token, 2), chatWrite(other, 1)]);
        await store.merge([
          ...messageWrites(token, 1, 1, 3),
          ...messageWrites(token, 2, 1, 2),
          deletionWrite(token, 2, 1),
        ]);
        await store.noteMissing({ token, chat: 1 }, [4, 5], 1_000);
        await store.recordVoid({ token, chat: 1 }, [4, 5]);
        await store.merge([messageWrite(token, 1, 5), messageWrite(other, 1, 1)]);
        const marks = [...(await marksOf(token)), ...(await marksOf(other))];
        const unknown = marks.findIndex((mark) => mark.token === other && mark.chat === 1);
        await store.setCounts(
          marks,
          marks.map(({ chat }, i) => (i === unknown ? undefined : chat === undefined ? 3 : 6)),
        );
        expect(await store.application(token)).toMatchObject({ chatsCount: 2 });
        expect(await store.application(other)).toMatchObject({ chatsCount: 3 });
        expect([await countOf(token, 1), await countOf(token, 2), await countOf(other, 1)]).toEqual([5, 5, 0]);
        expect([...(await marksOf(token)), ...(await marksOf(other))]).toEqual([]);
        await store.setCounts([], []);
      });

      test('without an assigned number, only the mark is cleared', async () => {
        const token = newToken();
        await store.merge([chatWrite(token, 1), messageWrite(token, 1, 1)]);
        await store.setCounts([await markOf(token, 1)], [1]);
        await store.merge([messageWrite(token, 1, 2)]);
        await store.setCounts([await markOf(token, 1)], [undefined]);
        expect(await countOf(token, 1)).toBe(1);
        expect((await marksOf(token)).filter(({ chat }) => chat === 1)).toEqual([]);
      });

      test('when a write is stored after its chat was counted, the next roll-up counts the chat again', async () => {
        const token = newToken();
        const counters = async (parents: Parent[]) =>
          parents.map((parent) => (parent.token === token ? (parent.chat === undefined ? 1 : 2) : undefined));
        await store.merge(messageWrites(token, 1, 1, 2));
        await rollUp(store, { counters });
        await store.merge([chatWrite(token, 1)]);
        await rollUp(store, { counters });
        await store.merge([applicationWrite(token)]);
        await rollUp(store, { counters });
        expect(await countOf(token, 1)).toBe(2);
        expect(await store.application(token)).toMatchObject({ chatsCount: 1 });
      });
    });

    describe('purging', () => {
      const dueAt = async (now: number, token: string): Promise<Purge[]> =>
        (await store.purges(now)).filter((purge) => purge.token === token);
      test('a deletion is due for purging at once and a second time after the delay, and then never again', async () => {
        const [token, other] = [newToken(), newToken()];
        const deletion = deletionWrite(token, 1, undefined, 5_000);
        await store.merge([deletion]);
        await store.merge([deletionWrite(other, undefined, undefined, 6_000)]);
        const [first] = (await dueAt(5_000, token)) as [Purge];
        expect(first).toEqual({ token, chat: 1, pass: 1 });
        expect(await dueAt(6_000, other)).toEqual([{ token: other, pass: 1 }]);

        const second = { token, chat: 1, pass: 2 };
        await store.endPurge(first, 8_000);
        expect(await dueAt(7_999, token)).toEqual([]);
        expect(await dueAt(8_000, token)).toEqual([second]);
        // Another run that started earlier completes only the purge that it knew of, not this one.
        await store.endPurge(first, 9_000);
        await store.endPurge(first);
        expect(await dueAt(8_000, token)).toEqual([second]);
        // Delivering the deletion again does not restart the purge.
        await store.merge([deletion]);
        expect(await dueAt(7_999, token)).toEqual([]);
        expect(await dueAt(8_000, token)).toEqual([second]);

        await store.endPurge(second);
        expect(await dueAt(Number.MAX_SAFE_INTEGER, token)).toEqual([]);
        expect(await dueAt(6_000, other)).toHaveLength(1);
      });

      test('a deletion is due for purging at once, however far ahead the clock was when it was accepted', async () => {
        const token = newToken();
        await store.merge([deletionWrite(token, 1, undefined, 3_456_000_000)]);
        expect(await dueAt(1_000, token)).toEqual([{ token, chat: 1, pass: 1 }]);
      });

      test('a second purge does not wait for a time that only a wrong clock can have set', async () => {
        const token = newToken();
        await store.merge([deletionWrite(token, 1, undefined, 1_000)]);
        const ahead = 40 * 24 * 60 * 60 * 1_000;
        await store.endPurge({ token, chat: 1, pass: 1 }, 1_000 + ahead + limits.queueRetentionMs);
        expect(await dueAt(1_000, token)).toEqual([{ token, chat: 1, pass: 2 }]);
        await store.endPurge({ token, chat: 1, pass: 2 });
      });

      test('the deletion of a message requires no purge', async () => {
        const token = newToken();
        await store.merge([deletionWrite(token, 1, 1)]);
        expect(await dueAt(Number.MAX_SAFE_INTEGER, token)).toEqual([]);
      });

      test('the rows of a chat are purged in steps; the chat stays deleted, and other chats keep their rows', async () => {
        const token = newToken();
        await store.merge([applicationWrite(token), chatWrite(token, 1), chatWrite(token, 2)]);
        await store.merge([...messageWrites(token, 1, 1, 7), ...messageWrites(token, 2, 1, 2)]);
        await store.merge([deletionWrite(token, 1, 4), deletionWrite(token, 1)]);
        expect(await purgeAll((limit) => store.purgeRows({ token, chat: 1 }, limit), 3)).toBe(7);
        expect(await store.merged(numbers(1, 7).map((number) => ({ token, chat: 1, number })))).toEqual([]);
        expect(await store.chat(token, 1)).toBe('deleted');
        expect(numbersOf(await store.messages(token, 2, range())).numbers).toEqual([1, 2]);
        await store.merge([messageWrite(token, 1, 8)]);
        expect(await store.message(token, 1, 8)).toBe('unknown');
      });

      test('the rows of an application are purged in steps, and it stays deleted', async () => {
        const [token, beside] = [newToken(), newToken()];
        await store.merge([applicationWrite(token), applicationWrite(beside), messageWrite(beside, 1, 1)]);
        for (const chat of [1, 2, 3]) await store.merge([chatWrite(token, chat), ...messageWrites(token, chat, 1, 3)]);
        await store.merge([deletionWrite(token)]);
        expect(await purgeAll((limit) => store.purgeRows({ token }, limit), 2)).toBe(12);
        expect(await store.application(token)).toBe('deleted');
        expect(await store.chats(token, range())).toEqual({ rows: [], more: false });
        expect(await store.messages(token, 2, range())).toEqual({ rows: [], more: false });
        expect(await store.message(beside, 1, 1)).toMatchObject({ number: 1 });
        await store.merge([chatWrite(token, 4), messageWrite(token, 4, 1)]);
        expect(await purgeAll((limit) => store.purgeRows({ token }, limit), 2)).toBe(0);
      });
    });
  });
}

/** Returns a hash of the write. Sorting by it gives an order that depends on the seed. */
const hash = (write: Write, seed: number): number => {
  let value = seed;
  for (const character of JSON.stringify(write)) value = Math.imul(value ^ character.charCodeAt(0), 16_777_619);
  return value;
};
