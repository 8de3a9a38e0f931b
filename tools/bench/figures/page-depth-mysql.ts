import { figure } from '../figure.ts';
import { fillChat } from '../fill.ts';
import { measurePages, messagesOf } from '../page-depth.ts';
import { makeDatabase } from '../scratch.ts';
import { msOf } from '../time.ts';

export const pageDepthMysql = figure({
  title: 'AWS: a page of messages, however deep',
  about: `A page of 50 messages of a chat of 1,000,000 in MariaDB, as the list of messages asks for it: the rows, and which numbers of the stretch are
    missing. The last page beside the first, each the median of a run's; MariaDB's buffer pool of 64 MB holds a fraction of the chat.`,
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
