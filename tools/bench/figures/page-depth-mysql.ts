import { figure } from '../figure.ts';
import { fillChat } from '../fill.ts';
import { measurePages, messagesOf } from '../page-depth.ts';
import { makeDatabase } from '../scratch.ts';
import { msOf } from '../time.ts';

export const pageDepthMysql = figure({
  title: 'AWS: a page of messages, however deep',
  about: `A page of 50 messages of a chat of 1,000,000 messages in MariaDB, read as by the list of messages: the rows, and the missing numbers in their
    range. The last page is compared with the first; each value is the median of a run. MariaDB's buffer pool of 64 MB has space for only a
    fraction of the chat.`,
  measure: async ({ scale, say, servers }) => {
    const messages = messagesOf[scale];
    const database = await makeDatabase(await servers());
    try {
      const ms = await msOf(() => fillChat(messages, database));
      say(`${messages.toLocaleString('en-US')} messages loaded in ${Math.round(ms / 1_000)} s`);
      return await measurePages(database.store, scale);
    } finally {
      await database.drop();
    }
  },
});
