import path from 'node:path';
import { usualBody } from '../../texts/usual-body.ts';
import { createMessages, makeChats, untilSearchable } from '../api.ts';
import { startEmbedded } from '../embedded.ts';
import { figure, type Measurement } from '../figure.ts';
import { load } from '../load.ts';
import { processorTimeUs } from '../processor-time.ts';
import { startProgram } from '../programs.ts';
import { inTurns } from '../ratios.ts';

const sizes = { full: { runs: 5, seconds: 5, messages: 10_000 }, smoke: { runs: 1, seconds: 1, messages: 1_000 } };
const connections = 50;
const reads = { 'one message': '/messages/500', 'a page of 50': '/messages?limit=50' };

export const embeddedRead = figure({
  title: 'Embedded: reading messages',
  about: `${connections} connections read one message, and then a page of 50 messages of 80 characters, as fast as they can. The reference is
    a bare Fastify server that reads the same rows from the same file with one prepared statement of \`node:sqlite\`, and
    sends the same JSON. The processor time is that of all threads and processes of the server for each request.`,
  measure: async ({ scale, say }) => {
    const { runs, seconds, messages } = sizes[scale];
    const host = await startEmbedded();
    try {
      const [chat = ''] = await makeChats(host, 1);
      await createMessages(host, chat, messages, usualBody);
      await untilSearchable(host, chat);
      const bare = await startProgram('bare-reads', path.join(host.dataDir, 'store.db'));
      try {
        const measured = async (origin: string, pid: number, read: string) => {
          const before = processorTimeUs(pid);
          const paths = [`${host.base}${chat}${read}`];
          const { requests, p99Ms } = await load({ origin, paths, connections, seconds });
          return { us: (processorTimeUs(pid) - before) / requests, p99Ms };
        };
        const measurements: Measurement[] = [];
        for (const [what, read] of Object.entries(reads)) {
          const ours = () => measured(host.origin, host.pid, read);
          const reference = () => measured(`http://127.0.0.1:${bare.ready}`, bare.pid, read);
          // The first requests are slower, because their code is not compiled yet.
          await ours();
          await reference();
          const results = await inTurns(
            runs,
            (run) => {
              say(`${what}, run ${run + 1} of ${runs}`);
              return ours();
            },
            reference,
          );
          const compared = { what: 'bare handler' };
          measurements.push(
            {
              what: `processor time of ${what}`,
              unit: 'µs',
              values: results.ours.map(({ us }) => us),
              reference: { ...compared, values: results.reference.map(({ us }) => us) },
              bar: { atMost: 1.8 },
            },
            {
              what: `99th percentile of ${what}`,
              unit: 'ms',
              values: results.ours.map(({ p99Ms }) => p99Ms),
              reference: { ...compared, values: results.reference.map(({ p99Ms }) => p99Ms) },
              bar: { atMost: 3 },
            },
          );
        }
        return measurements;
      } finally {
        await bare.stop();
      }
    } finally {
      await host.stop();
    }
  },
});
