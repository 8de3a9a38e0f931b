import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exportApplication } from '../../lib/archive/export.ts';
import { ArchiveProblem } from '../../lib/archive/format.ts';
import { ledgerMigrations } from '../../lib/ledger/sqlite/schema.ts';
import { SqliteLedger } from '../../lib/ledger/sqlite/sqlite-ledger.ts';
import { decodeWrites } from '../../lib/queue/records.ts';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import type { Difference } from '../../lib/reconcile/difference.ts';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import { rollUp } from '../../lib/rollup/rollup.ts';
import { documentsOf } from '../../lib/search/documents-of.ts';
import { searchMigrations } from '../../lib/search/sqlite/schema.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { storeMigrations } from '../../lib/store/sqlite/schema.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { chatNamed, contents } from '../support/histories/writes.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

// Data folders into which an earlier version imported values that no version would have assigned.
describe('values out of bounds in a data folder', () => {
  let files: SqliteFile[];
  let ledger: SqliteLedger;
  let store: SqliteStore;
  let services: Parameters<typeof reconcile>[0];
  /** The application with the values, and its neighbours in the order of tokens. */
  let token: string;
  let neighbours: string[];

  beforeEach(async () => {
    const ledgerFile = await openSqliteFile({ ledger: ledgerMigrations, queue: queueMigrations });
    const storeFile = await openSqliteFile({ store: storeMigrations, search: searchMigrations });
    files = [ledgerFile, storeFile];
    const commits = new GroupCommit(ledgerFile.database);
    const queue = new SqliteQueue(commits, 'store');
    ledger = new SqliteLedger(commits, queue);
    store = new SqliteStore(storeFile.database);
    const searchIndex = new SqliteSearchIndex(storeFile.database);
    services = { ledger, store, searchIndex, storeQueue: queue, waitingWrites: queue };
    const tokens: string[] = [];
    for (const name of ['a', 'b', 'c']) tokens.push((await ledger.createApplication(name)).token);
    for (const each of tokens) {
      await ledger.createChat(each, chatNamed(null));
      await ledger.createMessages({ token: each, chat: 1 }, contents(['one', 'two']));
      await ledger.editMessage({ token: each, chat: 1, number: 1 }, { body: 'edited' });
    }
    const deliveries = await queue.receive(1_000);
    await store.merge(deliveries.flatMap(({ body }) => decodeWrites(body)));
    await queue.acknowledge(deliveries.map(({ receipt }) => receipt));
    for (const each of tokens) {
      const keys = [1, 2].map((number) => ({ token: each, chat: 1, number }));
      await searchIndex.index((await store.merged(keys)).flatMap(documentsOf));
    }
    const [first = '', middle = '', last = ''] = tokens.sort();
    [token, neighbours] = [middle, [first, last]];
  });
  afterEach(() => {
    for (const file of files) file.remove();
  });

  const set = (file: 0 | 1, table: string, column: string, value: bigint | number) =>
    (files[file] as SqliteFile).database.raw
      .prepare(`UPDATE ${table} SET ${column} = ? WHERE token = ?`)
      .run(value, token);
  const differences = async (repair: boolean) => {
    const found: Difference[] = [];
    for await (const each of reconcile(services, { now: Date.now(), repair })) found.push(each);
    return found;
  };

  for (const value of [2 ** 32, 2 ** 53 - 1, 2n ** 63n - 1n, -1]) {
    const about = { kind: 'out of bounds', side: 'ledger', value: Number(value), repaired: false };

    test(`a counter of ${value} does not affect the counts of others, and reconcile names it and completes`, async () => {
      set(0, 'chats', 'messages', value);
      set(0, 'applications', 'chats', value);
      let skipped = 0;
      await rollUp(store, ledger, ({ marks }) => (skipped += marks));
      expect(skipped).toBe(2);
      for (const each of neighbours) {
        expect(await store.application(each)).toMatchObject({ chatsCount: 1 });
        expect(await store.chat(each, 1)).toMatchObject({ messagesCount: 2 });
      }
      const named = [
        { ...about, token, what: 'counter' },
        { ...about, token, chat: 1, what: 'counter' },
      ];
      // A negative counter is lower than the stored numbers, so it is raised like any other.
      for (const repair of value > 0 ? [false, true] : [false]) {
        const found = await differences(repair);
        expect(found.filter(({ kind }) => kind === 'out of bounds')).toEqual(named);
        expect(found).toHaveLength(value > 0 ? 2 : 4);
      }
    });

    test(`reconcile names a revision of ${value} and continues`, async () => {
      set(0, 'chats', 'revision', value);
      set(0, 'applications', 'revision', value);
      set(0, 'changed_messages', 'revision', value);
      await rollUp(store, ledger);
      // A negative revision is lower than the store's, so it is raised like any other.
      for (const repair of value > 0 ? [false, true] : [false])
        expect((await differences(repair)).filter(({ kind }) => kind === 'out of bounds')).toEqual([
          { ...about, token, what: 'revision' },
          { ...about, token, chat: 1, what: 'revision' },
          { ...about, token, chat: 1, number: 1, what: 'revision' },
        ]);
    });
  }

  test('reconcile names out-of-range revisions and times in the store and copies them nowhere', async () => {
    const value = 2 ** 53 - 1;
    set(1, 'applications', 'revision', value);
    set(1, 'chats', 'created_at', value);
    set(1, 'messages', 'revision', value);
    await rollUp(store, ledger);
    const before = await ledger.entries([{ token }, { token, chat: 1 }]);
    const found = await differences(true);
    const about = { kind: 'out of bounds', side: 'store', token, value, repaired: false };
    expect(found.filter(({ kind }) => kind === 'out of bounds')).toEqual([
      { ...about, what: 'revision' },
      { ...about, chat: 1, what: 'createdAt' },
      { ...about, chat: 1, number: 1, what: 'revision' },
      { ...about, chat: 1, number: 2, what: 'revision' },
    ]);
    expect(await ledger.entries([{ token }, { token, chat: 1 }])).toEqual(before);
  });

  test('an export of an out-of-range value ends with a sentence that names it, not with an endless file', async () => {
    const exported = async (each: string) =>
      Array.fromAsync(exportApplication({ ledger, store }, each, () => undefined));
    for (const [file, table, column, value, message] of [
      [0, 'applications', 'chats', 2 ** 53 - 1, /^The counter of the application is 9007199254740991, which is out/],
      [0, 'chats', 'messages', 2n ** 63n - 1n, /^The counter of chat 1 is \d+, which is out of bounds/],
      [0, 'chats', 'revision', 2 ** 32, /^The revision of chat 1 is 4294967296, which is out of bounds/],
      [0, 'applications', 'created_at', -1, /^The createdAt of the application is -1, which is out of bounds/],
      [1, 'messages', 'updated_at', 2 ** 53 - 1, /^The updatedAt of message 1\/1 is 9007199254740991, which is out/],
    ] as const) {
      const { raw } = (files[file] as SqliteFile).database;
      raw.exec('BEGIN');
      set(file, table, column, value);
      const problem = await exported(token).catch((error: unknown) => error);
      expect(problem).toBeInstanceOf(ArchiveProblem);
      expect((problem as Error).message).toMatch(message);
      raw.exec('ROLLBACK');
    }
    for (const each of [token, ...neighbours]) expect((await exported(each)).flat()).toHaveLength(6);
  });

  test('a run of reconcile can be stopped between two pages', async () => {
    set(0, 'chats', 'messages', 2 ** 32 - 1);
    const controller = new AbortController();
    let named = 0;
    const run = async () => {
      for await (const _ of reconcile(services, { now: Date.now(), repair: false, signal: controller.signal }))
        if (++named === 5_000) controller.abort(new Error('stop'));
    };
    await expect(run()).rejects.toThrow('stop');
    expect(named).toBeLessThan(7_000);
  });
});
