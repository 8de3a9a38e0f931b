import { limits } from '../../../lib/limits.ts';
import { figure } from '../figure.ts';
import { messagesOf } from '../fill.ts';
import { measurePages } from '../page-depth.ts';
import { fillEngine, makeEngine } from '../scratch-embedded.ts';

export const pageDepthEmbedded = figure({
  title: 'Embedded: the last page of a long chat',
  about: `As \`page-depth-mysql\`, on the same chat in SQLite, but each version has 1,000 messages.`,
  measure: async ({ scale }) => {
    const engine = await makeEngine();
    try {
      await fillEngine(messagesOf[scale], engine, { indexed: false });
      return await measurePages(engine.store, scale, (number) => Math.ceil(number / limits.rowsPerTransaction));
    } finally {
      await engine.drop();
    }
  },
});
