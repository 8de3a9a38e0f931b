import { limits } from '../../../lib/limits.ts';
import type { Write } from '../../../lib/model/write.ts';
import { countingSizes, measureCounting, token } from '../counting.ts';
import { figure } from '../figure.ts';
import { makeEngine, type ScratchEngine } from '../scratch-embedded.ts';

export const rollUpEmbedded = figure({
  title: 'Embedded: updating counts',
  about: `As \`roll-up-mysql\`, on the same chats in SQLite.`,
  measure: async (setting) => {
    const { chats, changed } = countingSizes[setting.scale];
    const [many, few] = [await makeChats(chats), await makeChats(changed)];
    try {
      return await measureCounting(setting, many.store, few.store);
    } finally {
      for (const engine of [many, few]) await engine.drop();
    }
  },
});

/** Creates an application with this number of chats with a message each, and with nothing left to count. */
async function makeChats(chats: number): Promise<ScratchEngine> {
  const engine = await makeEngine();
  const { store, database } = engine;
  await store.merge([{ kind: 'application', token, revision: 0, at: 1, name: 'many' }]);
  for (let from = 1; from <= chats; from += limits.rowsPerTransaction) {
    const numbers = Array.from({ length: Math.min(limits.rowsPerTransaction, chats - from + 1) }, (_, i) => from + i);
    await store.merge(numbers.map((chat): Write => ({ kind: 'chat', token, chat, revision: 0, at: 1, name: null })));
    await store.merge(
      numbers.map(
        (chat): Write => ({ kind: 'message', token, chat, number: 1, revision: 0, at: 1, content: { body: 'hello' } }),
      ),
    );
  }
  database.raw.exec('DELETE FROM rollup_marks');
  return engine;
}
