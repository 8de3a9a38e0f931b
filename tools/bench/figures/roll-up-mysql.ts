import { countingSizes, measureCounting, token } from '../counting.ts';
import { figure, type Servers } from '../figure.ts';
import { makeDatabase, type ScratchDatabase, setBufferPoolSize } from '../scratch.ts';

const atATime = 10_000;
const bufferPool = 512 * 2 ** 20;

export const rollUpMysql = figure({
  title: 'AWS: updating counts',
  about: `The roll-up updates the counts of 1,000 changed chats in MariaDB, in an application of 1,000,000 chats. In the reference,
    the application has only the 1,000. Evenly spread, each changed chat is on a database page of its own, which is the
    worst case; the newest share pages. The ledger's counters come from memory. MariaDB has a buffer pool of 512 MB, because
    with 64 MB the disk would determine the result.`,
  measure: async (setting) => {
    const { chats, changed } = countingSizes[setting.scale];
    const where = await setting.servers();
    const [many, few] = [await makeChats(where, chats), await makeChats(where, changed)];
    // The smoke run, which is part of the tests, does not resize the buffer pool: InnoDB would refuse locks to other
    // tests that write to the server meanwhile.
    const restoreBufferPool = setting.scale === 'full' ? await setBufferPoolSize(many, bufferPool) : undefined;
    try {
      return await measureCounting(setting, many.store, few.store);
    } finally {
      await restoreBufferPool?.();
      for (const database of [many, few]) await database.drop();
    }
  },
});

/** Creates an application with this number of chats with a message each. */
async function makeChats(servers: Servers, chats: number): Promise<ScratchDatabase> {
  const database = await makeDatabase(servers);
  const { plain, store } = database;
  await store.merge([{ kind: 'application', token, revision: 0, at: 1, name: 'many' }]);
  for (let from = 1; from <= chats; from += atATime) {
    const numbers = Array.from({ length: Math.min(atATime, chats - from + 1) }, (_, i) => from + i);
    await plain.query('INSERT INTO chats (token, number, revision, deleted, created_at, updated_at) VALUES ?', [
      numbers.map((number) => [token, number, 0, 0, 1, 1]),
    ]);
    await plain.query(
      'INSERT INTO messages (token, chat, number, body, revision, deleted, created_at, updated_at) VALUES ?',
      [numbers.map((chat) => [token, chat, 1, 'hello', 0, 0, 1, 1])],
    );
  }
  return database;
}
