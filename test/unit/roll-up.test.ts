import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import { limits } from '../../lib/limits.ts';
import { Unavailable } from '../../lib/model/errors.ts';
import { rollUp } from '../../lib/rollup/rollup.ts';
import { storeMigrations } from '../../lib/store/sqlite/schema.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import {
  applicationWrite,
  chatWrite,
  deletionWrite,
  messageWrite,
  messageWrites,
  numbers,
} from '../support/histories/writes.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

describe('the roll-up', () => {
  let file: SqliteFile;
  let store: SqliteStore;
  beforeEach(async () => {
    file = await openSqliteFile({ store: storeMigrations });
    store = new SqliteStore(file.database);
  });
  afterEach(() => file.remove());

  /** Returns a ledger that has assigned this many chat numbers, and this many message numbers in each chat. */
  const given = (chats: number, messages: number): Pick<Ledger, 'counters'> => ({
    counters: async (parents) => parents.map(({ chat }) => (chat === undefined ? chats : messages)),
  });
  const messagesCount = async (chat: number) => {
    const found = await store.chat('t', chat);
    return typeof found === 'string' ? found : found.messagesCount;
  };

  test('the roll-up counts accepted resources, stored or not, minus deleted ones, and then has nothing to do', async () => {
    await store.merge([applicationWrite('t'), chatWrite('t', 1), chatWrite('t', 2), deletionWrite('t', 2)]);
    await store.merge([...messageWrites('t', 1, 1, 3), deletionWrite('t', 1, 2)]);
    expect(await rollUp(store, given(3, 5))).toBeGreaterThan(0);
    expect(await store.application('t')).toMatchObject({ chatsCount: 2 });
    expect(await messagesCount(1)).toBe(4);
    expect(await rollUp(store, given(100, 100))).toBe(0);
    expect(await messagesCount(1)).toBe(4);
  });

  test('the roll-up visits every mark, however many there are', async () => {
    const chats = 2 * limits.rollupMarks;
    await store.merge([applicationWrite('t'), ...numbers(1, chats).map((chat) => chatWrite('t', chat))]);
    await store.merge(numbers(1, chats).map((chat) => messageWrite('t', chat, 1)));
    expect(await rollUp(store, given(chats, 1))).toBe(chats + 1);
    const { rows } = await store.chats('t', { order: 'asc', limit: chats });
    expect(rows.filter(({ messagesCount }) => messagesCount !== 1)).toEqual([]);
  });

  test('two roll-ups may run at once', async () => {
    await store.merge([applicationWrite('t'), chatWrite('t', 1), ...messageWrites('t', 1, 1, 3)]);
    await Promise.all([rollUp(store, given(1, 3)), rollUp(store, given(1, 3)), rollUp(store, given(1, 2))]);
    expect(await messagesCount(1)).toBe(3);
  });

  test('the roll-up counts resources that are stored while it runs', async () => {
    await store.merge([applicationWrite('t'), chatWrite('t', 1), messageWrite('t', 1, 1)]);
    let [counted, isFirst] = [1, true];
    const ledger: Pick<Ledger, 'counters'> = {
      counters: async (parents) => {
        const counters = parents.map(({ chat }) => (chat === undefined ? 1 : counted));
        // A message is accepted and stored just after the counters were read.
        if (isFirst) await store.merge([messageWrite('t', 1, 2)]);
        [counted, isFirst] = [2, false];
        return counters;
      },
    };
    await rollUp(store, ledger);
    expect(await messagesCount(1)).toBe(1);
    await rollUp(store, ledger);
    expect(await messagesCount(1)).toBe(2);
  });

  test.for([Number.MAX_SAFE_INTEGER, 1e40, -1, 0.5, Number.NaN])(
    'the roll-up skips a counter of %d and reports it, counts all others, and counts it once it is right',
    async (absurd) => {
      await store.merge([applicationWrite('t'), ...numbers(1, 5).map((chat) => chatWrite('t', chat))]);
      const ledger: Pick<Ledger, 'counters'> = {
        counters: async (parents) => parents.map(({ chat }) => (chat === 3 ? absurd : 7)),
      };
      const skipped: unknown[] = [];
      expect(await rollUp(store, ledger, (each) => skipped.push(each))).toBe(6);
      expect(skipped).toEqual([{ marks: 1, error: undefined }]);
      expect(await Promise.all(numbers(1, 5).map(messagesCount))).toEqual([7, 7, 0, 7, 7]);
      expect(await rollUp(store, ledger)).toBe(1);
      expect(await rollUp(store, given(7, 7))).toBe(1);
      expect(await messagesCount(3)).toBe(7);
    },
  );

  test('the roll-up skips a mark whose counter cannot be read or whose count cannot be set, and counts all others', async () => {
    await store.merge([applicationWrite('t'), ...numbers(1, 9).map((chat) => chatWrite('t', chat))]);
    const unreadable = new RangeError('Value is too large to be represented as a JavaScript number');
    const ledger: Pick<Ledger, 'counters'> = {
      counters: async (parents) => {
        if (parents.some(({ chat }) => chat === 4)) throw unreadable;
        return parents.map(() => 7);
      },
    };
    const unsettable: Pick<SqliteStore, 'marks' | 'setCounts'> = {
      marks: (limit, after) => store.marks(limit, after),
      setCounts: async (marks, counters) => {
        if (marks.some(({ chat }) => chat === 8)) throw new Error('out of range');
        await store.setCounts(marks, counters);
      },
    };
    const skipped: unknown[] = [];
    expect(await rollUp(unsettable, ledger, (each) => skipped.push(each))).toBe(10);
    expect(skipped).toEqual([{ marks: 2, error: unreadable }]);
    expect(await Promise.all(numbers(1, 9).map(messagesCount))).toEqual([7, 7, 7, 0, 7, 7, 7, 0, 7]);
  });

  test('the roll-up fails at once while the ledger or the store is unavailable', async () => {
    await store.merge([applicationWrite('t'), ...numbers(1, 9).map((chat) => chatWrite('t', chat))]);
    let calls = 0;
    const out: Pick<Ledger, 'counters'> = {
      counters: async () => {
        calls++;
        throw new Unavailable(new Error('out'));
      },
    };
    await expect(rollUp(store, out)).rejects.toThrow(Unavailable);
    expect(calls).toBe(1);
  });

  test('a roll-up that fails half-way is completed by the next one', async () => {
    await store.merge([applicationWrite('t'), ...numbers(1, 5).map((chat) => chatWrite('t', chat))]);
    await store.merge(numbers(1, 5).map((chat) => messageWrite('t', chat, 1)));
    const failing: Pick<SqliteStore, 'marks' | 'setCounts'> = {
      marks: (limit, after) => store.marks(limit, after),
      setCounts: async (marks, numbers) => {
        await store.setCounts(marks.slice(0, 3), numbers);
        throw new Error('the store is out');
      },
    };
    await expect(rollUp(failing, given(5, 1))).rejects.toThrow('the store is out');
    await rollUp(store, given(5, 1));
    expect(await Promise.all(numbers(1, 5).map(messagesCount))).toEqual([1, 1, 1, 1, 1]);
    expect(await store.application('t')).toMatchObject({ chatsCount: 5 });
  });
});
