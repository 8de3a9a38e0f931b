import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Parent } from '../../../lib/model/keys.ts';
import { rollUp } from '../../../lib/rollup/rollup.ts';
import type { Store } from '../../../lib/store/store.ts';
import { allPages, purgeAll } from '../../support/client/all-pages.ts';
import {
  applicationWrite,
  chatWrite,
  deletionWrite,
  messageWrite,
  messageWrites,
} from '../../support/histories/writes.ts';
import type { StoreUnderTest } from './store.ts';

/**
 * The contract of every store's inventory: what it returns about its rows, and how it handles numbers without a row.
 */
export function inventoryContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`the store's inventory, ${name}`, () => {
    let opened: StoreUnderTest;
    let store: Store;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(() => opened.close());

    const newToken = () => randomUUID();
    const everything = { from: 1, to: Number.MAX_SAFE_INTEGER };
    const roll = (token: string, highest: { chats?: number; messages?: number }) =>
      rollUp(store, {
        counters: async (parents: Parent[]) =>
          parents.map((parent) => {
            if (parent.token !== token) return undefined;
            return parent.chat === undefined ? highest.chats : highest.messages;
          }),
      });
    const messagesCount = async (token: string) => {
      const chat = await store.chat(token, 1);
      return typeof chat === 'string' ? chat : chat.messagesCount;
    };

    describe('reading the inventory', () => {
      test('the inventory lists the token of every application with a row, whatever the row contains', async () => {
        const prefix = randomUUID();
        const tokens = ['a', 'b', 'c', 'd', 'e'].map((letter) => `${prefix}-${letter}`);
        const [a, b, c, d, e] = tokens as [string, string, string, string, string];
        await store.merge([applicationWrite(c), applicationWrite(a), applicationWrite(e)]);
        await store.merge([deletionWrite(b), applicationWrite(d, { revision: 1 })]);
        const pages = await allPages(
          (last: string[] | undefined) => store.tokens(2, last?.at(-1)),
          (page) => page.length === 2,
        );
        expect(pages.flat().filter((token) => token.startsWith(prefix))).toEqual(tokens);
      });

      test('the inventory returns an application and its chats as stored, including deleted and hidden ones', async () => {
        const token = newToken();
        expect(await store.mergedApplication(token)).toBeUndefined();
        await store.merge([applicationWrite(token, { at: 5, name: 'a' })]);
        await store.merge([applicationWrite(token, { revision: 3, at: 8, name: 'b' })]);
        await store.merge([chatWrite(token, 1), chatWrite(token, 2, { revision: 2, at: 9, name: 'edited' })]);
        await store.merge([deletionWrite(token, 3, undefined, 7), chatWrite(token, 4)]);
        expect(await store.mergedApplication(token)).toEqual({
          name: 'b',
          metadata: null,
          revision: 3,
          deleted: false,
          createdAt: 5,
          updatedAt: 8,
        });
        const chats = await store.mergedChats(token, { from: 1, to: 3 });
        expect([...chats.keys()].sort()).toEqual([1, 2, 3]);
        expect(chats.get(2)).toEqual({
          name: 'edited',
          metadata: null,
          revision: 2,
          deleted: false,
          createdAt: null,
          updatedAt: 9,
        });
        expect(chats.get(3)).toEqual({
          name: null,
          metadata: null,
          revision: 0,
          deleted: true,
          createdAt: null,
          updatedAt: 7,
        });
        expect([...(await store.mergedChats(token, { from: 4, to: 4 })).keys()]).toEqual([4]);
      });

      test('the highest number counts rows of every kind, even deletions, and chats that have messages but no row of their own', async () => {
        const [token, other] = [newToken(), newToken()];
        await store.merge([chatWrite(token, 2), messageWrite(token, 7, 3), messageWrite(token, 2, 4, { revision: 1 })]);
        await store.merge([deletionWrite(token, 2, 9), chatWrite(other, 12), messageWrite(other, 2, 99)]);
        const asked = [{ token }, { token, chat: 2 }, { token, chat: 7 }, { token, chat: 3 }, { token: newToken() }];
        expect(await store.highestNumbers(asked)).toEqual([7, 9, 3, 0, 0]);
        expect(await store.highestNumbers([{ token: other }])).toEqual([12]);
      });

      test('the inventory returns messages by number, without their text', async () => {
        const token = newToken();
        await store.merge([...messageWrites(token, 1, 1, 4), messageWrite(token, 1, 6, { revision: 2 })]);
        await store.merge([messageWrite(token, 1, 2, { revision: 1 }), deletionWrite(token, 1, 3)]);
        await store.merge([messageWrite(token, 2, 3)]);
        expect(await store.messageVersions({ token, chat: 1 }, { from: 2, to: 6 })).toEqual([
          { number: 2, revisions: { body: 1, metadata: 0 }, deleted: false, created: true },
          { number: 3, revisions: { body: 0, metadata: 0 }, deleted: true, created: true },
          { number: 4, revisions: { body: 0, metadata: 0 }, deleted: false, created: true },
          { number: 6, revisions: { body: 2, metadata: 0 }, deleted: false, created: false },
        ]);
      });

      test('a count is returned with the number of rows it excludes and whether it is marked for recounting', async () => {
        const token = newToken();
        expect(await store.count({ token })).toBeUndefined();
        expect(await store.count({ token, chat: 1 })).toBeUndefined();
        await store.merge([applicationWrite(token), chatWrite(token, 1), chatWrite(token, 2), deletionWrite(token, 2)]);
        await store.merge([...messageWrites(token, 1, 1, 3), deletionWrite(token, 1, 1)]);
        expect(await store.count({ token, chat: 1 })).toEqual({ count: 0, notExisting: 1, marked: true });
        await roll(token, { chats: 2, messages: 3 });
        expect(await store.count({ token, chat: 1 })).toEqual({ count: 2, notExisting: 1, marked: false });
        expect(await store.count({ token })).toEqual({ count: 1, notExisting: 1, marked: false });
      });

      test('a count is set again on request, even if it was made from a number that was too high', async () => {
        const token = newToken();
        await store.merge([applicationWrite(token), chatWrite(token, 1), messageWrite(token, 1, 1)]);
        await roll(token, { chats: 9, messages: 9 });
        await store.recount({ token });
        await store.recount({ token });
        expect(await store.count({ token })).toMatchObject({ count: 9, marked: true });
        expect(await store.count({ token, chat: 1 })).toMatchObject({ count: 9, marked: false });
        await store.recount({ token, chat: 1 });
        await roll(token, { chats: 1, messages: 1 });
        expect(await store.count({ token })).toMatchObject({ count: 1, marked: false });
        expect(await messagesCount(token)).toBe(1);
      });
    });

    describe('missing numbers', () => {
      test('missing numbers are recorded with their time, separately for chats and messages, until they are forgotten', async () => {
        const token = newToken();
        await store.noteMissing({ token, chat: 1 }, [2, 5], 1_000);
        await store.noteMissing({ token, chat: 1 }, [9], 2_000);
        await store.noteMissing({ token }, [2], 3_000);
        await store.noteMissing({ token }, [], 3_000);
        expect(await store.missing({ token, chat: 1 }, { from: 1, to: 5 })).toEqual([
          { number: 2, noticedAt: 1_000, void: false },
          { number: 5, noticedAt: 1_000, void: false },
        ]);
        await store.forgetMissing({ token, chat: 1 }, [2, 9]);
        await store.forgetMissing({ token, chat: 1 }, []);
        expect(await store.missing({ token, chat: 1 }, everything)).toMatchObject([{ number: 5 }]);
        expect(await store.missing({ token }, everything)).toEqual([{ number: 2, noticedAt: 3_000, void: false }]);
        // The numbers are pending as before.
        expect(await store.message(token, 1, 5)).toBe('unknown');
        expect(await store.missingNumbers({ token, chat: 1, from: 1, to: 5 }, { max: 10 })).toEqual([1, 2, 3, 4, 5]);
      });

      test('void numbers are no longer missing, and their messages are no longer unknown', async () => {
        const token = newToken();
        await store.merge([chatWrite(token, 1), ...messageWrites(token, 1, 1, 2), messageWrite(token, 1, 6)]);
        await store.noteMissing({ token, chat: 1 }, [3, 4, 5], 1_000);
        await store.recordVoid({ token, chat: 1 }, [4]);
        await store.recordVoid({ token, chat: 1 }, []);
        expect(await store.missingNumbers({ token, chat: 1, from: 1, to: 7 }, { max: 10 })).toEqual([3, 5, 7]);
        expect(await store.missingNumbers({ token, chat: 1, from: 7, to: 1 }, { max: 2 })).toEqual([7, 5]);
        expect(await store.message(token, 1, 3)).toBe('unknown');
        expect(await store.message(token, 1, 4)).toBe('void');
        expect(await store.message(token, 2, 4)).toBe('unknown');
        // A void number stays void.
        await store.forgetMissing({ token, chat: 1 }, [3, 4, 5]);
        expect(await store.missing({ token, chat: 1 }, everything)).toEqual([
          { number: 4, noticedAt: 1_000, void: true },
        ]);
      });

      test('void numbers are not counted from the next roll-up on', async () => {
        const token = newToken();
        await store.merge([applicationWrite(token), chatWrite(token, 1), ...messageWrites(token, 1, 1, 3)]);
        await store.merge([deletionWrite(token, 1, 2)]);
        await roll(token, { chats: 3, messages: 5 });
        expect(await messagesCount(token)).toBe(4);
        await store.noteMissing({ token, chat: 1 }, [4, 5], 1_000);
        await store.noteMissing({ token }, [2, 3], 1_000);
        await roll(token, { chats: 3, messages: 5 });
        expect(await messagesCount(token)).toBe(4);
        await store.recordVoid({ token, chat: 1 }, [4, 5]);
        await store.recordVoid({ token }, [3]);
        await roll(token, { chats: 3, messages: 5 });
        expect(await messagesCount(token)).toBe(2);
        expect(await store.application(token)).toMatchObject({ chatsCount: 2 });
        expect(await store.count({ token, chat: 1 })).toEqual({ count: 2, notExisting: 3, marked: false });
      });

      test('void numbers are counted again when their writes arrive after all, and later changes are applied', async () => {
        const token = newToken();
        await store.merge([applicationWrite(token), chatWrite(token, 1), messageWrite(token, 1, 1)]);
        await store.noteMissing({ token, chat: 1 }, [2, 3, 4], 1_000);
        await store.recordVoid({ token, chat: 1 }, [2, 3, 4]);
        await store.noteMissing({ token }, [2], 1_000);
        await store.recordVoid({ token }, [2]);
        await roll(token, { chats: 2, messages: 4 });
        expect(await messagesCount(token)).toBe(1);
        // An edit without its creation does not bring the number back.
        await store.merge([messageWrite(token, 1, 3, { revision: 1 })]);
        expect(await store.message(token, 1, 3)).toBe('void');
        await roll(token, { messages: 4 });
        expect(await messagesCount(token)).toBe(1);

        await store.merge([messageWrite(token, 1, 2), messageWrite(token, 1, 3), chatWrite(token, 2)]);
        expect(await store.message(token, 1, 3)).toMatchObject({ content: { body: 'message 1/3, revision 1' } });
        expect(await store.missingNumbers({ token, chat: 1, from: 1, to: 4 }, { max: 10 })).toEqual([]);
        await roll(token, { chats: 2, messages: 4 });
        expect(await messagesCount(token)).toBe(3);
        expect(await store.application(token)).toMatchObject({ chatsCount: 2 });
        // A deleted message is counted once, not both as void and as deleted.
        await store.merge([deletionWrite(token, 1, 2), deletionWrite(token, 1, 4)]);
        await roll(token, { messages: 4 });
        expect(await messagesCount(token)).toBe(2);
        expect(await store.message(token, 1, 4)).toBe('deleted');
      });

      test('missing numbers below something deleted are purged in steps, and no others are', async () => {
        const [token, beside] = [newToken(), newToken()];
        for (const each of [token, beside]) {
          await store.merge([applicationWrite(each), chatWrite(each, 1), chatWrite(each, 2)]);
          await store.merge(messageWrites(each, 1, 1, 3));
          await store.noteMissing({ token: each, chat: 1 }, [4, 5, 6], 1_000);
          await store.recordVoid({ token: each, chat: 1 }, [6]);
          await store.noteMissing({ token: each, chat: 2 }, [1], 1_000);
          await store.noteMissing({ token: each }, [3], 1_000);
        }
        const notesOf = async (parent: Parent) => (await store.missing(parent, everything)).map(({ number }) => number);
        expect(await purgeAll((limit) => store.purgeRows({ token, chat: 1 }, limit), 2)).toBe(6);
        expect(await notesOf({ token, chat: 1 })).toEqual([]);
        expect(await notesOf({ token, chat: 2 })).toEqual([1]);
        expect(await notesOf({ token })).toEqual([3]);
        expect(await purgeAll((limit) => store.purgeRows({ token }, limit), 2)).toBe(4);
        expect(await notesOf({ token, chat: 2 })).toEqual([]);
        expect(await notesOf({ token })).toEqual([]);
        expect(await notesOf({ token: beside, chat: 1 })).toEqual([4, 5, 6]);
      });
    });
  });
}
