import { figure } from '../figure.ts';
import { big } from '../fill.ts';
import { fillEngine, makeEngine, type ScratchEngine } from '../scratch-embedded.ts';
import { measureSearches, messagesOf, pageSize } from '../search-latency.ts';
import { msOf } from '../time.ts';

export const searchLatencyEmbedded = figure({
  title: 'Embedded: searching a chat of 1,000,000 messages',
  about: `The same searches in the same messages in the embedded engine's index, which counts up to 10,000 matches. The reference is \`LIKE '%…%'\` on the same
    rows in SQLite with the same order and limit, which counts no matches and minds no case but that of ASCII.`,
  measure: async (setting) => {
    const messages = messagesOf[setting.scale];
    const engine = await makeEngine();
    try {
      const ms = await msOf(() => fillEngine(messages, engine, true));
      setting.say(`${messages.toLocaleString('en-US')} messages stored and indexed in ${Math.round(ms / 1_000)} s`);
      return await measureSearches(setting, { index: engine.index, scan: (q) => scan(engine, q), p99Ms: 20 });
    } finally {
      await engine.drop();
    }
  },
});

const scan = async ({ database }: ScratchEngine, q: string) =>
  database
    .prepare(
      `SELECT number, body, created_at, updated_at FROM messages
       WHERE token = ? AND chat = ? AND deleted = 0 AND created_at IS NOT NULL AND body LIKE ? ORDER BY number DESC LIMIT ?`,
    )
    .all(big.token, big.chat, `%${q}%`, pageSize + 1);
