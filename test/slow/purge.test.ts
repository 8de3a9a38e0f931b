import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ledgerMigrations } from '../../lib/ledger/sqlite/schema.ts';
import { SqliteLedger } from '../../lib/ledger/sqlite/sqlite-ledger.ts';
import { limits } from '../../lib/limits.ts';
import { type PurgeServices, purgeDeleted } from '../../lib/purge/purge.ts';
import { decodeWrites } from '../../lib/queue/records.ts';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import { searchMigrations } from '../../lib/search/sqlite/schema.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { storeMigrations } from '../../lib/store/sqlite/schema.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { newClock } from '../support/basics/clock.ts';
import { chatNamed, contents, indexed, numbers } from '../support/histories/writes.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

describe('the purge', () => {
  const clock = newClock();
  let files: SqliteFile[];
  let queue: SqliteQueue;
  let ledger: SqliteLedger;
  let store: SqliteStore;
  let searchIndex: SqliteSearchIndex;
  let services: PurgeServices;
  let token: string;

  /** Stores and indexes everything that was accepted, as the workers do. */
  const storeAll = async () => {
    const deliveries = await queue.receive(10_000);
    const writes = deliveries.flatMap(({ body }) => decodeWrites(body));
    await store.merge(writes);
    await queue.acknowledge(deliveries.map(({ receipt }) => receipt));
    const keys = writes.flatMap((write) => (write.kind === 'message' ? [write] : []));
    for (const row of await store.merged(keys)) await searchIndex.index([{ ...row, createdAt: row.createdAt ?? 0 }]);
  };

  beforeEach(async () => {
    const ledgerFile = await openSqliteFile({ ledger: ledgerMigrations, queue: queueMigrations });
    const storeFile = await openSqliteFile({ store: storeMigrations, search: searchMigrations });
    files = [ledgerFile, storeFile];
    const commits = new GroupCommit(ledgerFile.database);
    queue = new SqliteQueue(commits, 'store', { now: clock });
    ledger = new SqliteLedger(commits, queue, { now: clock });
    store = new SqliteStore(storeFile.database);
    searchIndex = new SqliteSearchIndex(storeFile.database);
    services = { store, searchIndex, ledger };

    token = (await ledger.createApplication('a')).token;
    for (const chat of [1, 2]) {
      await ledger.createChat(token, chatNamed(null));
      await ledger.createMessages({ token, chat }, contents(['hello', 'hello', 'hello']));
      await ledger.editMessage({ token, chat, number: 1 }, { body: 'hello again' });
    }
    await storeAll();
  });
  afterEach(() => {
    for (const file of files) file.remove();
  });

  const hits = async () => (await searchIndex.search({ token, q: 'hello', limit: 10 })).total;
  const rows = async (chat: number) =>
    (await store.merged(numbers(1, 5).map((number) => ({ token, chat, number })))).length;

  test('the purge removes what belongs to a deleted chat: rows, documents and ledger entries', async () => {
    await ledger.deleteChat({ token, chat: 1 });
    await storeAll();
    expect(await purgeDeleted(services, clock())).toBe(3 + 3 + 1);
    expect([await rows(1), await rows(2), await hits()]).toEqual([0, 3, 3]);
    expect(await purgeDeleted(services, clock())).toBe(0);
    expect(await store.chat(token, 1)).toBe('deleted');
  });

  test('the purge removes what belongs to a deleted application', async () => {
    await ledger.deleteApplication(token);
    await storeAll();
    expect(await purgeDeleted(services, clock())).toBe(2 + 6 + 6 + 2 + 2);
    expect([await rows(1), await rows(2), await hits()]).toEqual([0, 0, 0]);
    expect(await ledger.counters([{ token, chat: 1 }])).toEqual([undefined]);
    expect(await store.application(token)).toBe('deleted');
  });

  test('the purge runs a second time when no queue can hold a late write any more, and then never again', async () => {
    await ledger.deleteChat({ token, chat: 1 });
    await storeAll();
    await purgeDeleted(services, clock());
    // A worker that had read a message just before the purge indexes it again.
    await searchIndex.index([
      { token, chat: 1, number: 1, ...indexed('hello'), createdAt: clock(), updatedAt: clock() },
    ]);
    expect(await hits()).toBe(4);
    expect(await purgeDeleted(services, clock() + limits.queueRetentionMs - 1)).toBe(0);
    expect(await purgeDeleted(services, clock() + limits.queueRetentionMs)).toBe(1);
    expect(await hits()).toBe(3);
    expect(await store.purges(Number.MAX_SAFE_INTEGER)).toEqual([]);
  });

  test('the purge stops when `mayContinue` returns false, and the next run continues', async () => {
    await ledger.deleteChat({ token, chat: 1 });
    await storeAll();
    expect(await purgeDeleted(services, clock(), () => false)).toBe(0);
    expect(await rows(1)).toBe(3);
    let steps = 1;
    expect(await purgeDeleted(services, clock(), () => steps-- > 0)).toBe(3);
    expect([await rows(1), await hits()]).toEqual([0, 6]);
    expect(await purgeDeleted(services, clock())).toBe(4);
    expect(await hits()).toBe(3);
  });

  test('a purge that fails half-way is finished by the next run', async () => {
    await ledger.deleteChat({ token, chat: 1 });
    await storeAll();
    const failing: PurgeServices = {
      ...services,
      searchIndex: {
        purge: async () => {
          throw new Error('search is out');
        },
      },
    };
    await expect(purgeDeleted(failing, clock())).rejects.toThrow('search is out');
    expect(await purgeDeleted(services, clock())).toBe(3 + 1);
    expect(await hits()).toBe(3);
  });

  test('when one purge fails, the others run and the run fails at the end', async () => {
    await ledger.deleteChat({ token, chat: 1 });
    await ledger.deleteChat({ token, chat: 2 });
    await storeAll();
    const failing: PurgeServices = {
      ...services,
      searchIndex: {
        purge: (deleted, limit) =>
          deleted.chat === 1 ? Promise.reject(new Error('bad row')) : searchIndex.purge(deleted, limit),
      },
    };
    await expect(purgeDeleted(failing, clock())).rejects.toThrow('bad row');
    expect([await rows(1), await rows(2), await hits()]).toEqual([0, 0, 3]);
    expect(await purgeDeleted(services, clock())).toBe(3 + 1);
    expect(await hits()).toBe(0);
  });

  test('a short purge ends while a long one continues', async () => {
    await ledger.deleteChat({ token, chat: 1 });
    await ledger.deleteChat({ token, chat: 2 });
    await storeAll();
    const endless: PurgeServices = {
      ...services,
      ledger: { purge: (deleted, limit) => (deleted.chat === 1 ? Promise.resolve(1) : ledger.purge(deleted, limit)) },
    };
    let steps = 100;
    await purgeDeleted(endless, clock(), () => steps-- > 0);
    expect(await store.purges(clock())).toEqual([{ token, chat: 1, pass: 1 }]);
  });

  test('the purge removes more than fits into one step', async () => {
    const bodies = numbers(1, limits.purgeRows).map(() => 'hello');
    for (const _ of [1, 2]) await ledger.createMessages({ token, chat: 1 }, contents(bodies));
    await storeAll();
    await ledger.deleteChat({ token, chat: 1 });
    await storeAll();
    const messages = 3 + 2 * limits.purgeRows;
    expect(await purgeDeleted(services, clock())).toBe(2 * messages + 1);
    expect([await rows(1), await hits()]).toEqual([0, 3]);
  });

  test('one run purges everything that is due', async () => {
    await ledger.deleteChat({ token, chat: 1 });
    await ledger.deleteChat({ token, chat: 2 });
    await storeAll();
    expect(await purgeDeleted(services, clock())).toBe(2 * (3 + 3 + 1));
    expect(await hits()).toBe(0);
  });
});
