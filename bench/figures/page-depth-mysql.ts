import { figure } from '../figure.ts';
import { big, fillChat } from '../fill.ts';
import { makeDatabase } from '../scratch.ts';
import { inTurns, median } from '../statistics.ts';
import { msOf } from '../time.ts';

const sizes = { full: { messages: 1_000_000, runs: 11, pages: 50 }, smoke: { messages: 2_000, runs: 1, pages: 5 } };
const limit = 50;

export const pageDepthMysql = figure({
  title: 'AWS: a page of messages, however deep',
  about: `A page of 50 messages of a chat of 1,000,000 in MariaDB, as the list of messages asks for it: the rows, and which numbers of the stretch are
    missing. The last page beside the first, each the median of a run's; MariaDB's buffer pool of 64 MB holds a fraction of the chat.`,
  measure: async ({ scale, say, servers }) => {
    const { messages, runs, pages } = sizes[scale];
    const database = await makeDatabase(await servers());
    try {
      const ms = await msOf(() => fillChat(messages, database));
      say(`${messages.toLocaleString('en-US')} messages loaded in ${Math.round(ms / 1_000)} s`);
      const { store } = database;
      const { token, chat } = big;
      const page = async (after: number) => {
        const { rows } = await store.messages(token, chat, { after, order: 'asc', limit });
        const listed = rows.map(({ number }) => number);
        const missing = await store.missingNumbers(token, chat, after + 1, after + limit, limit, listed);
        if (rows.length !== limit || missing.length > 0) throw new Error(`The page behind ${after} is not whole`);
      };
      const msOfPages = async (after: number) => {
        const ms: number[] = [];
        for (let i = 0; i < pages; i++) ms.push(await msOf(() => page(after)));
        return median(ms);
      };
      const deep = messages - limit;
      const results = await inTurns(
        runs,
        () => msOfPages(deep),
        () => msOfPages(0),
      );
      return [
        {
          what: `the page behind message ${deep.toLocaleString('en-US')}`,
          unit: 'ms',
          values: results.ours,
          reference: { what: 'the first page', values: results.reference },
          bar: { atMost: 1.2 },
        },
      ];
    } finally {
      await database.drop();
    }
  },
});
