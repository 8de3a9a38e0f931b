import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { perQueueService } from '../../../functions/queues.ts';
import { setLogLevel } from '../../../functions/runtime/observe/log.ts';
import { storeWorker } from '../../../functions/workers/store.ts';
import { limits } from '../../../lib/limits.ts';
import { blankContent } from '../../../lib/model/content.ts';
import type { Write } from '../../../lib/model/write.ts';
import type { DeadLetter } from '../../../lib/queue/queue.ts';
import { decodeChanges, encodeWrites } from '../../../lib/queue/records.ts';
import { UnstorableWrite } from '../../../lib/store/merging.ts';
import { MysqlStore, openMysql } from '../../../lib/store/mysql/mysql-store.ts';
import { FaultyProxy } from '../../support/faults/faulty-proxy.ts';
import {
  applicationWrite,
  chatWrite,
  deletionWrite,
  messageWrite,
  messageWrites,
  numbers,
} from '../../support/histories/writes.ts';
import { deliver } from '../../support/servers/batch.ts';
import { openLedgerTable } from '../../support/servers/ledger-table.ts';
import { type MysqlDatabase, newStoreDatabase } from '../../support/servers/mysql-database.ts';

setLogLevel('silent');

describe('a batch of writes to MySQL', () => {
  let database: MysqlDatabase;
  let proxy: FaultyProxy;
  let db: ReturnType<typeof openMysql>;
  let store: MysqlStore;
  beforeAll(async () => {
    database = await newStoreDatabase();
    proxy = await FaultyProxy.to(database.url);
    db = openMysql(proxy.through(database.url), { connections: 10, timeouts: limits.sqlMs.work });
    store = new MysqlStore(db);
  });
  afterAll(async () => {
    await db.destroy();
    await proxy.refuse();
    await database.drop();
  });

  function openWorker() {
    const sent: string[] = [];
    const reasons: string[] = [];
    const worker = storeWorker({
      store,
      ...perQueueService(() => ({
        send: async (bodies: string[]) => void sent.push(...bodies),
        addDeadLetters: async (deadLetters: DeadLetter[]) =>
          void reasons.push(...deadLetters.map(({ reason }) => reason)),
      })),
    });
    return {
      work: (...records: Write[][]) => deliver(worker, ...records.map((record) => encodeWrites(record))),
      sent,
      reasons,
    };
  }

  /** Opens a queue in SQS for the dead letters of one test. */
  async function openQueue() {
    const opened = await openLedgerTable();
    onTestFinished(() => opened.remove());
    return opened.queue;
  }

  const unstorable: Record<string, Write> = {
    'a name of 256 characters': applicationWrite('long', { name: 'n'.repeat(256) }),
    'a body of 65,536 bytes': messageWrite('long', 1, 1, { body: 'b'.repeat(65_536) }),
    'a number beyond BIGINT': messageWrite('long', 1, 2 ** 64),
    'a negative number': messageWrite('long', -1, 1),
    'a revision beyond INT': messageWrite('long', 1, 1, { revision: 2 ** 32 }),
    'a token of 65 characters': applicationWrite('t'.repeat(65)),
    'a token that is not ASCII': applicationWrite('tokén'),
    'a message of a token that is not ASCII': messageWrite('tokén', 1, 1),
    'a missing name': { ...applicationWrite('long'), name: null } as unknown as Write,
  };
  for (const [what, write] of Object.entries(unstorable))
    test(`a batch cannot be stored with ${what}`, async () => {
      await expect(store.merge([messageWrite('mate', 1, 1), write])).rejects.toBeInstanceOf(UnstorableWrite);
      expect(await store.message('mate', 1, 1)).toBe('unknown');
    });

  test('a batch is stored without the unstorable record, which becomes a dead letter with its reason', async () => {
    const { work, sent, reasons } = openWorker();
    const records = numbers(1, 20).map((number) => [messageWrite('mates', 1, number)]);
    records.splice(7, 0, [messageWrite('mates', 1, 100, { body: 'b'.repeat(65_536) })]);
    expect(await work(...records)).toEqual([]);
    expect(reasons).toEqual(['ER_DATA_TOO_LONG']);
    expect((await store.messages('mates', 1, { order: 'asc', limit: 100 })).rows).toHaveLength(20);
    expect(sent.flatMap(decodeChanges)).toHaveLength(20);
  });

  test('of a batch of 1,000 records with three unstorable ones, 997 are stored at once and three become dead letters', async () => {
    const queue = await openQueue();
    const sent: string[] = [];
    const worker = storeWorker({
      store,
      ...perQueueService(() => ({
        send: async (bodies: string[]) => void sent.push(...bodies),
        addDeadLetters: async () => undefined,
      })),
      storeQueue: queue,
    });
    const records = numbers(1, 1_000).map((number) => encodeWrites([messageWrite('thousand', 1, number)]));
    const poison = {
      malformed: '{"version":1,"writes":[{"kind":"message"',
      'too large': encodeWrites([messageWrite('thousand', 1, 500, { body: 'b'.repeat(65_536) })]),
      'without writes': '{"version":1,"writes":[]}',
    };
    for (const [i, at] of [99, 499, 899].entries()) records[at] = Object.values(poison)[i] as string;

    expect(await deliver(worker, ...records)).toEqual([]);
    const stored = numbers(1, 1_000).filter((number) => ![100, 500, 900].includes(number));
    const { rows } = await store.messages('thousand', 1, { order: 'asc', limit: 1_000 });
    expect(rows.map(({ number }) => number)).toEqual(stored);
    expect(sent.flatMap(decodeChanges).map(({ number }) => number)).toEqual(stored);
    const deadLetters = await queue.deadLetters(10);
    expect(new Map(deadLetters.map(({ body, reason }) => [body, reason]))).toEqual(
      new Map([
        [poison.malformed, 'not JSON'],
        [poison['too large'], 'ER_DATA_TOO_LONG'],
        [poison['without writes'], expect.stringMatching(/^writes: /)],
      ]),
    );
    expect(deadLetters).toHaveLength(3);
  });

  test('concurrent batches with the same messages in any order cause no error, and the highest revision wins', async () => {
    const writes = numbers(0, 4).flatMap((revision) =>
      numbers(1, 200).map((number) => messageWrite('met', (number % 3) + 1, number, { revision })),
    );
    const shuffled = (by: number) => writes.toSorted((a, b) => order(a, by) - order(b, by));
    const order = (write: Write, by: number) => Math.sin(by * 1_000 + JSON.stringify(write).length + write.at) % 1;
    await Promise.all(
      numbers(1, 10).map(async (by) => {
        const mine = shuffled(by);
        for (let i = 0; i < mine.length; i += 100) await store.merge(mine.slice(i, i + 100));
      }),
    );
    const keys = numbers(1, 200).map((number) => ({ token: 'met', chat: (number % 3) + 1, number }));
    const merged = await store.merged(keys);
    expect(merged).toHaveLength(200);
    expect(merged.every(({ revisions, createdAt }) => revisions.body === 4 && createdAt !== null)).toBe(true);
  });

  test('a batch of 1,000 of the longest messages is stored', async () => {
    const body = '\u{1F469}'.repeat(limits.bodyLength);
    await store.merge(numbers(1, 1_000).map((number) => messageWrite('longest', 1, number, { body })));
    expect(await store.missingNumbers({ token: 'longest', chat: 1, from: 1, to: 1_000 }, { max: 10 })).toEqual([]);
    expect(await store.message('longest', 1, 1_000)).toMatchObject({ content: { body } });
  });

  test('a batch of 600 edits, creations and deletions results in the same state as small batches', async () => {
    const keys = numbers(1, 600).map((number) => ({ token: 'blocks', chat: 1, number }));
    const created = numbers(1, 600).map((number) => messageWrite('blocks', 1, number));
    const edited = numbers(1, 600).map((number) => messageWrite('blocks', 1, number, { revision: 1 }));
    await store.merge(edited);
    expect(
      (await store.merged(keys)).filter(({ createdAt, revisions }) => createdAt === null && revisions.body === 1),
    ).toHaveLength(600);
    await store.merge(created);
    await store.merge([...numbers(1, 100).map((number) => deletionWrite('blocks', 1, number)), ...edited]);
    const rows = (await store.merged(keys)).toSorted((a, b) => a.number - b.number);
    expect(rows.slice(0, 100).every(({ deleted, content }) => deleted && content.body === '')).toBe(true);
    expect(rows.slice(100)).toEqual(
      keys.slice(100).map((key) => ({
        ...key,
        revisions: { body: 1, metadata: 0 },
        deleted: false,
        content: { ...blankContent, body: `message 1/${key.number}, revision 1` },
        createdAt: 3_000 + key.number * 10,
        updatedAt: 3_001 + key.number * 10,
      })),
    );
    await store.merge(numbers(1, 600).map((number) => messageWrite('blocks', 2, number)));
    expect(await store.message('blocks', 2, 600)).toEqual({
      number: 600,
      content: { ...blankContent, body: 'message 2/600, revision 0' },
      createdAt: 9_000,
      updatedAt: 9_000,
    });
  });

  test('a batch of 10,000 records is stored, and sent to the search queue in a few messages', async () => {
    const { work, sent } = openWorker();
    const records = numbers(1, 10_000).map((number) => [messageWrite('many', (number % 500) + 1, number)]);
    expect(await work(...records)).toEqual([]);
    const keys = sent.flatMap(decodeChanges);
    expect([sent.length, keys.length]).toEqual([10, 10_000]);
    expect(await store.merged(keys.slice(0, 1_000))).toHaveLength(1_000);
  });

  test('a batch fails while the database is out, and is stored by the redelivery afterwards', async () => {
    const { work, sent } = openWorker();
    const records = [[applicationWrite('again'), chatWrite('again', 1)], messageWrites('again', 1, 1, 5)];
    await proxy.refuse();
    expect(await work(...records)).toEqual([1, 2]);
    expect(sent).toEqual([]);
    await proxy.restore();
    expect(await work(...records)).toEqual([]);
    expect((await store.messages('again', 1, { order: 'asc', limit: 10 })).rows).toHaveLength(5);
  });

  test('every connection is in strict mode, UTC and READ COMMITTED', async () => {
    // Concurrent queries, so that each uses a connection of its own.
    const sessions = await Promise.all(
      numbers(1, 10).map(async () => {
        const { rows } = await sql`SELECT @@sql_mode AS mode, @@time_zone AS zone, SLEEP(0.05)`.execute(db);
        const isolation = await sql`SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')`;
        return [rows[0], (await isolation.execute(db)).rows[0]];
      }),
    );
    for (const session of sessions)
      expect(session).toMatchObject([
        { mode: 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', zone: '+00:00' },
        { Value: 'READ-COMMITTED' },
      ]);
  });
});
