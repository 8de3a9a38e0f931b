import { call, makeChats, untilSearchable } from '../api.ts';
import { startEmbedded } from '../embedded.ts';
import { figure, type Measurement } from '../figure.ts';
import { load } from '../load.ts';
import { messageTexts } from '../messages.ts';
import { processorTimeUs } from '../processor-time.ts';
import { inTurns } from '../ratios.ts';
import { queries } from '../search-latency.ts';

const sizes = {
  full: { runs: 5, seconds: 3, messages: 100_000, common: queries.common },
  smoke: { runs: 1, seconds: 1, messages: 2_000, common: queries.common.slice(0, 1) },
};
const messagesInBatch = 1_000;

/** Few connections, because an application has at most one running search. */
const connections = 4;
/** This many connections, each with this pause before a request, send nearly 1,000 requests a second. */
const steady = { connections: 100, pauseMs: 100 };

/** A text that 10 of the 100,000 messages contain. */
const rare = 'zej';

export const embeddedSearch = figure({
  title: 'Embedded: searching through the API',
  about: `The searches of \`search-latency-embedded\` in a chat of 100,000 messages, as requests of ${connections} connections as fast as
    they can. The processor time is that of all threads and processes of the server for each search. The first search for
    a text, which counts the matches, is not measured. The reference finds 10 messages. For the rate, ${steady.connections} connections
    each wait ${steady.pauseMs} ms on average before a search for a rare text.`,
  measure: async ({ scale, say }) => {
    const { runs, seconds, messages, common } = sizes[scale];
    const host = await startEmbedded();
    try {
      const [chat = ''] = await makeChats(host, 1);
      const texts = messageTexts();
      for (let i = 0; i < messages; i += messagesInBatch)
        await call(host, `${chat}/messages/batch`, {
          messages: Array.from({ length: messagesInBatch }, () => ({ body: texts.next().value })),
        });
      await untilSearchable(host, chat);
      const pathOf = (q: string) => `${host.base}${chat}/messages/search?q=${encodeURIComponent(q)}`;
      const usOf = async (q: string) => {
        const before = processorTimeUs(host.pid);
        const { requests } = await load({ origin: host.origin, paths: [pathOf(q)], connections, seconds });
        return (processorTimeUs(host.pid) - before) / requests;
      };
      const measurements: Measurement[] = [];
      for (const q of common) {
        // The first searches are slower, because their code is not compiled yet.
        await usOf(q);
        const { ours, reference } = await inTurns(
          runs,
          (run) => {
            say(`${q}, run ${run + 1} of ${runs}`);
            return usOf(q);
          },
          () => usOf(rare),
        );
        measurements.push({
          what: `processor time of a search for \`${q}\``,
          unit: 'µs',
          values: ours,
          reference: { what: `\`${rare}\``, values: reference },
        });
      }
      const p99s: number[] = [];
      const rates: number[] = [];
      for (let run = 0; run < runs; run++) {
        say(`rare texts at a steady rate, run ${run + 1} of ${runs}`);
        const { p99Ms, perSecond } = await load({
          origin: host.origin,
          paths: queries.rare.filter((q) => q.length < 4).map(pathOf),
          ...steady,
          seconds,
        });
        p99s.push(p99Ms);
        rates.push(perSecond);
      }
      measurements.push(
        { what: 'rate of searches for rare texts', unit: 'searches/s', values: rates },
        { what: 'their 99th percentile', unit: 'ms', values: p99s, bar: { atMost: 20 } },
      );
      return measurements;
    } finally {
      await host.stop();
    }
  },
});
