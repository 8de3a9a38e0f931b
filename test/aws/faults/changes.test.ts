import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { perQueueService } from '../../../functions/queues.ts';
import { setLogLevel } from '../../../functions/runtime/observe/log.ts';
import { storeWorker } from '../../../functions/workers/store.ts';
import { limits } from '../../../lib/limits.ts';
import type { Write } from '../../../lib/model/write.ts';
import { encodeWrites } from '../../../lib/queue/records.ts';
import { MysqlStore, openMysql } from '../../../lib/store/mysql/mysql-store.ts';
import { Follower } from '../../support/changes/follower.ts';
import { applicationWrite, chatWrite, deletionWrite, messageWrite, numbers } from '../../support/histories/writes.ts';
import { deliver } from '../../support/servers/batch.ts';
import { newStoreDatabase } from '../../support/servers/mysql-database.ts';

setLogLevel('silent');

const database = await newStoreDatabase();
const open = () => openMysql(database.url, { connections: 1, timeouts: limits.sqlMs.work });
afterAll(() => database.drop());

const workers = 8;
const writingMs = 5_000;

test('8 store workers that write to one chat skip no version, and readers that poll miss no change', async () => {
  const token = 'changes';
  const chat = { token, chat: 1 };
  const announced: number[] = [];
  const connections = numbers(1, workers + 2).map(open);
  const stores = connections.map((db) => new MysqlStore(db));
  const [reader, other] = stores.slice(workers) as [MysqlStore, MysqlStore];
  await reader.merge([applicationWrite(token), chatWrite(token, 1)]);

  const outbox = { send: async () => undefined, addDeadLetters: async () => undefined };
  const announcer = {
    announce: async (versions: { chat?: number; version: number }[]) => {
      announced.push(...versions.filter((each) => each.chat === 1).map(({ version }) => version));
    },
  };
  let highest = 0;
  const end = Date.now() + writingMs;
  const write = async (store: MysqlStore, worker: number) => {
    const work = storeWorker({ store, announcer, ...perQueueService(() => outbox) });
    let former: Write[] = [];
    for (let i = 0; Date.now() < end; i++) {
      const fresh = numbers(1, 1 + ((worker * 7 + i) % 20)).map(() => messageWrite(token, 1, ++highest));
      const number = 1 + ((worker * 31 + i * 17) % highest);
      // The queue delivers some writes twice. Others edit and delete what another worker may not have stored yet.
      const writes = [...fresh, ...former.slice(0, 3), messageWrite(token, 1, number, { revision: 1 + i })];
      if (i % 5 === 0) writes.push(deletionWrite(token, 1, number));
      expect(await deliver(work, encodeWrites(writes))).toEqual([]);
      former = writes;
    }
  };
  const followers = [new Follower(chat), new Follower(chat)];
  const follow = async (follower: Follower, store: MysqlStore) => {
    while (Date.now() < end) {
      await follower.poll(store);
      await sleep(2);
    }
  };
  await Promise.all([
    ...stores.slice(0, workers).map(write),
    follow(followers[0] as Follower, reader),
    follow(followers[1] as Follower, other),
  ]);
  for (const follower of followers) await follower.poll(reader);

  const version = await reader.version(chat);
  expect(announced.sort((a, b) => a - b)).toEqual(numbers(1, version));
  const { rows } = await reader.messages(token, 1, { order: 'asc', limit: 1_000_000 });
  expect(rows.length).toBeGreaterThan(100);
  for (const follower of followers) expect(follower.existing()).toEqual(rows);
  for (const db of connections) await db.destroy();
});
