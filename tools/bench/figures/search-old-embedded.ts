import { blankContent } from '../../../lib/model/content.ts';
import { noRevisions } from '../../../lib/search/search-index.ts';
import { median, percentile } from '../../statistics/quantiles.ts';
import { figure } from '../figure.ts';
import { big, messagesOf } from '../fill.ts';
import { fillEngine, makeEngine } from '../scratch-embedded.ts';
import { pageSize } from '../search-latency.ts';
import { msOf } from '../time.ts';

const sizes = { full: { runs: 5, searches: 100, old: 12_000 }, smoke: { runs: 1, searches: 3, old: 100 } };
const indexedAtATime = 1_000;
/** A word that no text of tools/bench/messages.ts contains. */
const word = 'zebra';

export const searchOldEmbedded = figure({
  title: 'Embedded: searching an application for an old and common word',
  about: `Searches of a whole application for a word that is in its oldest 12,000 messages and in none of the 1,000,000 newer ones,
    in the index alone, without HTTP.`,
  measure: async ({ scale, say }) => {
    const { runs, searches, old } = sizes[scale];
    const engine = await makeEngine();
    try {
      say(`${old} old messages and ${messagesOf[scale]} newer ones`);
      for (let last = 0; last < old; last += indexedAtATime)
        await engine.index.index(
          Array.from({ length: Math.min(indexedAtATime, old - last) }, (_, i) => {
            const number = last + i + 1;
            // Before the messages of fillEngine.
            const at = 1_600_000_000_000 + number;
            const content = { ...blankContent, body: `${word} number ${number}` };
            const key = { token: big.token, chat: big.chat + 1, number };
            return { ...key, content, revisions: noRevisions, createdAt: at, updatedAt: at };
          }),
        );
      await fillEngine(messagesOf[scale], engine, { indexed: true });
      const search = () => engine.index.search({ token: big.token, q: word, limit: pageSize });
      const { matches } = await search();
      if (matches[0]?.number !== old) throw new Error('The newest of the old messages was not found');
      const times: number[][] = [];
      for (let run = 0; run < runs; run++) times.push(await Array.fromAsync({ length: searches }, () => msOf(search)));
      return [
        { what: 'median', unit: 'ms', values: times.map(median) },
        {
          what: '99th percentile',
          unit: 'ms',
          values: times.map((ms) => percentile(ms, 99)),
          bar: { atMost: 50 },
        },
      ];
    } finally {
      await engine.drop();
    }
  },
});
