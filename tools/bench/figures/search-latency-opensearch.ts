import { figure } from '../figure.ts';
import { big, fillChat } from '../fill.ts';
import { makeDatabase, makeIndex, type ScratchDatabase } from '../scratch.ts';
import { measureSearches, messagesOf, pageSize } from '../search-latency.ts';
import { msOf } from '../time.ts';

export const searchLatencyOpensearch = figure({
  title: 'AWS: searching a chat of 1,000,000 messages',
  about: `Searches in OpenSearch for 1, 2, 3 and 12 characters, 20 matches a page, one after the other in a chat of 1,000,000 messages of 80 characters in
    English and 530 other languages; the same query is repeated, so caches are warm. The rare 12 characters are made of common parts. The reference is
    \`LIKE '%…%'\` on the same rows in MariaDB with the same order and limit, case aside, which counts no matches. OpenSearch has a heap of 512 MB and the
    first tier of its compiler alone here, MariaDB a buffer pool of 64 MB: what both have on a development machine.`,
  measure: async (setting) => {
    const messages = messagesOf[setting.scale];
    const where = await setting.servers();
    const [database, index] = [await makeDatabase(where), await makeIndex(where)];
    try {
      const ms = await msOf(() => fillChat(messages, database, index));
      setting.say(`${messages.toLocaleString('en-US')} messages loaded in ${Math.round(ms / 1_000)} s`);
      return await measureSearches(setting, { index: index.index, scan: (q) => scan(database, q), p99Ms: 50 });
    } finally {
      for (const each of [database, index]) await each.drop();
    }
  },
});

const scan = ({ plain }: ScratchDatabase, q: string) =>
  plain.query(
    `SELECT number, body, created_at, updated_at FROM messages
     WHERE token = ? AND chat = ? AND deleted = 0 AND created_at IS NOT NULL AND body LIKE ? COLLATE utf8mb4_general_ci ORDER BY number DESC LIMIT ?`,
    [big.token, big.chat, `%${q}%`, pageSize + 1],
  );
