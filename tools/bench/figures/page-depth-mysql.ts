import { figure } from '../figure.ts';
import { big, fillChat, messagesOf } from '../fill.ts';
import { measurePages } from '../page-depth.ts';
import { makeDatabase } from '../scratch.ts';
import { msOf } from '../time.ts';

export const pageDepthMysql = figure({
  title: 'AWS: the last page of a long chat',
  about: `The store reads a page of 50 messages of a chat of 1,000,000 messages in MariaDB: the rows, and the numbers in their range
    that have no row; and a page of 100 changes, all of the same version, as after the migration of an older database. The
    reference is the first page. MariaDB has a buffer pool of 64 MB, which holds a fraction of the chat.`,
  measure: async ({ scale, say, servers }) => {
    const messages = messagesOf[scale];
    const database = await makeDatabase(await servers());
    try {
      const ms = await msOf(() => fillChat(messages, database));
      say(`${messages.toLocaleString('en-US')} messages loaded in ${Math.round(ms / 1_000)} s`);
      // As after the migration: all rows have the first version.
      await database.store.raiseVersion(big, 1);
      return await measurePages(database.store, scale, () => 1);
    } finally {
      await database.drop();
    }
  },
});
