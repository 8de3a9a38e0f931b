import { type Figure, figure } from '../figure.ts';
import { big, messagesOf } from '../fill.ts';
import { fillEngine, makeEngine, type ScratchEngine } from '../scratch-embedded.ts';
import { measureSearches, pageSize } from '../search-latency.ts';
import { msOf } from '../time.ts';

/** Measures searches in an index of this number of equally large chats. The searched chat is in the middle. */
const searches = (chats: number, title: string, about: string): Figure =>
  figure({
    title,
    matrix: true,
    about,
    measure: async (setting) => {
      const messages = messagesOf[setting.scale];
      const engine = await makeEngine();
      try {
        const ms = await msOf(async () => {
          const filled = Array.from({ length: chats - 1 }, (_, i) => big.chat + 1 + i);
          filled.splice(chats / 2, 0, big.chat);
          for (const [i, chat] of filled.entries()) {
            setting.say(`chat ${i + 1} of ${chats}`);
            await fillEngine(messages, engine, { indexed: true, chat });
          }
        });
        setting.say(`${(chats * messages).toLocaleString('en-US')} messages indexed in ${Math.round(ms / 1_000)} s`);
        return await measureSearches(setting, {
          index: engine.index,
          scan: (q) => scan(engine, q),
          p99Ms: 20,
          forget: () => engine.database.raw.exec('UPDATE search_chats SET edition = edition + 1'),
        });
      } finally {
        await engine.drop();
      }
    },
  });

export const searchLatencyEmbedded = searches(
  1,
  'Embedded: searching a chat of 1,000,000 messages',
  `The searches of \`search-latency-opensearch\`, in the embedded engine's index. A search stops counting once there are
    more than 10,000 matches. A *later search* for the same text counts only matches in newer messages, or nothing if there
    were more than 10,000. The reference is \`LIKE '%…%'\` on the same rows in SQLite with the same order and limit. The
    reference does not count matches, and distinguishes case except in ASCII letters.`,
);

export const searchLatencyEmbeddedLarge = searches(
  10,
  'Embedded: searching a chat of 1,000,000 messages among 10,000,000',
  'As `search-latency-embedded`, with nine more chats of the same messages in the index and the tables.',
);

const scan = async ({ database }: ScratchEngine, q: string) =>
  database
    .prepare(
      `SELECT number, body, created_at, updated_at FROM messages
       WHERE token = ? AND chat = ? AND deleted = 0 AND created_at IS NOT NULL AND body LIKE ? ORDER BY number DESC LIMIT ?`,
    )
    .all(big.token, big.chat, `%${q}%`, pageSize + 1);
