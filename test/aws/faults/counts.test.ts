import { afterAll, expect, test } from 'vitest';
import { limits } from '../../../lib/limits.ts';
import type { Mark } from '../../../lib/store/counting.ts';
import { MysqlStore, openMysql } from '../../../lib/store/mysql/mysql-store.ts';
import { chatWrite, messageWrite } from '../../support/histories/writes.ts';
import { newStoreDatabase } from '../../support/servers/mysql-database.ts';

const database = await newStoreDatabase();
const db = openMysql(database.url, { connections: 1, timeouts: limits.sqlMs.work });
const store = new MysqlStore(db);
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

test('a count that was made from outdated numbers does not replace a newer one', async () => {
  await store.merge([chatWrite('t', 1), messageWrite('t', 1, 1)]);
  await store.noteMissing({ token: 't', chat: 1 }, [2, 3], 1_000);
  await store.recordVoid({ token: 't', chat: 1 }, [3]);
  const mark = (await store.marks(10)).find(({ chat }) => chat === 1) as Mark;

  // The late update has read that one number is void, and waits for the lock on the row.
  await database.run('START TRANSACTION');
  await database.run('SELECT * FROM chats FOR UPDATE');
  const late = store.setCounts([mark], [3]);
  const waiting = () =>
    database.run('SHOW FULL PROCESSLIST').then((rows) => rows.map(({ Info }) => String(Info)).join());
  await expect.poll(waiting).toMatch(/UPDATE JSON_TABLE/);
  // Meanwhile another number becomes void and is counted: of 3 numbers, 2 are void.
  await database.run('UPDATE chats SET messages_count = 1, counted = 5');
  await database.run('COMMIT');
  await late;
  expect(await store.chat('t', 1)).toMatchObject({ messagesCount: 1 });
});
