import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { changeQueues } from '../../functions/queues.ts';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import { storeWorker } from '../../functions/workers/store.ts';
import { limits } from '../../lib/limits.ts';
import type { Write } from '../../lib/model/write.ts';
import { decodeChanges, encodeWrites } from '../../lib/queue/records.ts';
import { Database } from '../../lib/sqlite/database.ts';
import { UnstorableWrite } from '../../lib/store/merging.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import {
  applicationWrite,
  chatWrite,
  deletionWrite,
  messageWrite,
  messageWrites,
  numbers,
} from '../support/histories/writes.ts';
import { deliver } from '../support/servers/batch.ts';
import { openWorkerServices, type TestServices } from '../support/servers/worker-services.ts';

setLogLevel('silent');

/** A store that can be unavailable, or refuse one text permanently. */
class FaultyStore extends SqliteStore {
  isOut = false;
  batches: number[] = [];
  override async merge(writes: Write[]) {
    this.batches.push(writes.length);
    if (this.isOut) throw new Error('the store is out');
    if (writes.some((write) => write.kind === 'message' && write.content.body === 'unstorable'))
      throw new UnstorableWrite('too large for its column');
    return super.merge(writes);
  }
}

describe('the store worker', () => {
  let opened: TestServices;
  let store: FaultyStore;
  beforeEach(async () => {
    opened = await openWorkerServices();
    store = new FaultyStore(opened.file.database);
    opened.services.store = store;
  });
  afterEach(() => opened.file.remove());

  const work = (...records: (Write[] | string)[]) =>
    deliver(
      storeWorker(opened.services),
      ...records.map((record) => (typeof record === 'string' ? record : encodeWrites(record))),
    );
  const stored = async (chat = 1) =>
    (await store.messages('t', chat, { order: 'asc', limit: 5_000 })).rows.map(({ number }) => number);
  const changed = () => opened.sent.flatMap(decodeChanges).map(({ chat, number }) => `${chat}/${number}`);

  test('the store worker stores a batch at once, and sends each changed message once to the search queue', async () => {
    const failed = await work(
      [applicationWrite('t')],
      [chatWrite('t', 1)],
      messageWrites('t', 1, 1, 3),
      [messageWrite('t', 1, 2, { revision: 1 })],
      [deletionWrite('t', 1, 3)],
      messageWrites('t', 2, 1, 1),
    );
    expect(failed).toEqual([]);
    expect(store.batches).toEqual([8]);
    expect(await stored()).toEqual([1, 2]);
    expect(changed()).toEqual(['1/1', '1/2', '1/3', '2/1']);
    expect(opened.sent).toHaveLength(1);
    expect(opened.deadLetters.store).toEqual([]);
  });

  test('the store worker sends the changes to every queue that carries changes', async () => {
    await work(messageWrites('t', 1, 1, 3));
    expect(changeQueues).toContain('search');
    for (const name of changeQueues) expect(opened.sentTo[name].flatMap(decodeChanges)).toHaveLength(3);
  });

  test('the store worker sends changes only after the commit', async () => {
    const other = Database.open(opened.file.path, { readOnly: true });
    let seen: unknown;
    opened.services.searchQueue.send = async () => {
      seen = other.prepare('SELECT number FROM messages').all();
    };
    await work(messageWrites('t', 1, 1, 2));
    other.close();
    expect(seen).toEqual([{ number: 1 }, { number: 2 }]);
  });

  test('the store worker announces the versions of each commit, and only what can be read', async () => {
    const other = Database.open(opened.file.path, { readOnly: true });
    const announced: unknown[] = [];
    opened.services.announcer = {
      announce: async (versions) => {
        const visible = other.prepare('SELECT chat, version FROM versions').all();
        announced.push(versions.map(({ chat = 0, version }) => ({ chat, version })));
        for (const each of announced.flat()) expect(visible).toContainEqual(each);
      },
    };
    await work([chatWrite('t', 1)], messageWrites('t', 1, 1, 2));
    expect(announced).toEqual([
      [
        { chat: 0, version: 1 },
        { chat: 1, version: 1 },
      ],
    ]);
    await work(messageWrites('t', 1, 1, 2));
    await work(messageWrites('t', 2, 1, 1), [messageWrite('t', 2, 2, { body: 'unstorable' })]);
    expect(announced.slice(1)).toEqual([[{ chat: 2, version: 1 }]]);
    other.close();
  });

  test('the store worker retries the batch when the versions cannot be announced', async () => {
    opened.services.announcer = { announce: () => Promise.reject(new Error('the announcer is out')) };
    expect(await work(messageWrites('t', 1, 1, 2))).toHaveLength(1);
    expect(await stored()).toEqual([1, 2]);
  });

  test('the store worker sends nothing when no message changed', async () => {
    expect(
      await work([applicationWrite('t')], [chatWrite('t', 1)], [deletionWrite('t', 1)], [deletionWrite('t')]),
    ).toEqual([]);
    expect(opened.sent).toEqual([]);
  });

  test('the store worker moves a malformed record to the dead letters with its reason, and stores the rest', async () => {
    expect(await work(messageWrites('t', 1, 1, 1), 'not a record', messageWrites('t', 1, 2, 2))).toEqual([]);
    expect(await stored()).toEqual([1, 2]);
    expect(changed()).toEqual(['1/1', '1/2']);
    expect(opened.deadLetters.store).toEqual([{ body: 'not a record', reason: 'not JSON' }]);
  });

  test('the store worker retries records of a newer version, stores none of them and makes none a dead letter, and stores the rest', async () => {
    const [write] = JSON.parse(encodeWrites(messageWrites('t', 1, 9, 9))).writes;
    const newer = [
      { version: 2, writes: [write] },
      { version: 1, writes: [{ ...write, mood: 'glad' }] },
      { version: 1, writes: [{ ...write, kind: 'reaction' }] },
    ].map((record) => JSON.stringify(record));
    expect(await work(messageWrites('t', 1, 1, 1), ...newer, messageWrites('t', 1, 2, 2))).toEqual([2, 3, 4]);
    expect(await stored()).toEqual([1, 2]);
    expect(changed()).toEqual(['1/1', '1/2']);
    expect(opened.deadLetters.store).toEqual([]);
  });

  test.for(numbers(1, 9))(
    'the store worker finds the one of nine records that can never be stored, number %i, and stores the rest',
    async (bad) => {
      const body = 'unstorable';
      const records = numbers(1, 9).map((number) => [messageWrite('t', 1, number, number === bad ? { body } : {})]);
      expect(await work(...records)).toEqual([]);
      expect(await stored()).toEqual(numbers(1, 9).filter((number) => number !== bad));
      expect(changed()).not.toContain(`1/${bad}`);
      expect(changed()).toHaveLength(8);
      expect(opened.deadLetters.store).toEqual([
        { body: encodeWrites(records[bad - 1] as Write[]), reason: 'too large for its column' },
      ]);
    },
  );

  test('the store worker finds several unstorable records, and stores each record completely or not at all', async () => {
    const bad = (number: number) => messageWrite('t', 1, number, { body: 'unstorable' });
    await work(messageWrites('t', 1, 1, 2), [messageWrite('t', 1, 3), bad(4)], [bad(5)], messageWrites('t', 1, 6, 7));
    expect(await stored()).toEqual([1, 2, 6, 7]);
    expect(opened.deadLetters.store).toHaveLength(2);
    expect(changed()).toEqual(['1/1', '1/2', '1/6', '1/7']);
  });

  test('the store worker fails the whole batch while the store is unavailable, and sends nothing and makes nothing a dead letter', async () => {
    store.isOut = true;
    expect(await work(messageWrites('t', 1, 1, 1), messageWrites('t', 1, 2, 2), 'not a record')).toEqual([1, 2, 3]);
    expect(opened.sent).toEqual([]);
    expect(opened.deadLetters.store).toEqual([]);
    store.isOut = false;
    expect(await work(messageWrites('t', 1, 1, 1), messageWrites('t', 1, 2, 2), 'not a record')).toEqual([]);
    expect(await stored()).toEqual([1, 2]);
    expect(opened.deadLetters.store).toHaveLength(1);
  });

  test('the store worker fails the whole batch when it cannot send, and only the record when it cannot move it to the dead letters; both can be repeated', async () => {
    const { send } = opened.services.searchQueue;
    opened.services.searchQueue.send = async () => {
      throw new Error('the queue is out');
    };
    expect(await work(messageWrites('t', 1, 1, 2), messageWrites('t', 1, 3, 3))).toEqual([1, 2]);
    opened.services.searchQueue.send = send;
    const { addDeadLetters } = opened.services.storeQueue;
    opened.services.storeQueue.addDeadLetters = async () => {
      throw new Error('the queue is out');
    };
    expect(await work('not a record', messageWrites('t', 1, 1, 2))).toEqual([1]);
    opened.services.storeQueue.addDeadLetters = addDeadLetters;
    expect(await work(messageWrites('t', 1, 1, 2), messageWrites('t', 1, 3, 3), 'not a record')).toEqual([]);
    expect(await stored()).toEqual([1, 2, 3]);
    expect(new Set(changed())).toEqual(new Set(['1/1', '1/2', '1/3']));
    expect(opened.deadLetters.store).toHaveLength(1);
  });

  test('the store worker stores a large batch in transactions of bounded size, and sends records of bounded size', async () => {
    const size = limits.rowsPerTransaction;
    await work(
      messageWrites('t', 1, 1, size),
      messageWrites('t', 1, size + 1, size + 600),
      messageWrites('t', 2, 1, 500),
    );
    expect(store.batches).toEqual([size, 600, 500]);
    expect(await stored()).toHaveLength(size + 600);
    expect(opened.sent.map((record) => decodeChanges(record).length)).toEqual([size, size, 100]);
  });

  test('the store worker accepts an empty batch', async () => {
    expect(await work()).toEqual([]);
    expect(store.batches).toEqual([]);
  });
});
