import { figure } from '../figure.ts';
import { measurePages, messagesOf } from '../page-depth.ts';
import { fillEngine, makeEngine } from '../scratch-embedded.ts';

export const pageDepthEmbedded = figure({
  title: 'Embedded: a page of messages, however deep',
  about: `The same pages as in MariaDB (see below), of the same chat in SQLite.`,
  measure: async ({ scale }) => {
    const engine = await makeEngine();
    try {
      await fillEngine(messagesOf[scale], engine, { indexed: false });
      return await measurePages(engine.store, scale);
    } finally {
      await engine.drop();
    }
  },
});
