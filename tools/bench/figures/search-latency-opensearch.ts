import { figure } from '../figure.ts';
import { big, fillChat, messagesOf } from '../fill.ts';
import { makeDatabase, makeIndex, type ScratchDatabase } from '../scratch.ts';
import { measureSearches, pageSize } from '../search-latency.ts';
import { msOf } from '../time.ts';

export const searchLatencyOpensearch = figure({
  title: 'AWS: searching a chat of 1,000,000 messages',
  matrix: true,
  about: `Searches in OpenSearch, one after the other, for texts of 1, 2, 3 and 12 characters, with 20 matches a page. The chat has
    1,000,000 messages of 80 characters in English and 530 other languages. Caches are warm. The rare text of 12 characters
    consists of common words. The reference is a case-insensitive \`LIKE '%…%'\` in MariaDB (buffer pool of 64 MB) with the
    same order and limit; it does not count the matches. OpenSearch is that of \`search-worker\`.`,
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
