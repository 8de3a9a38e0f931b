import { usualBody } from '../../texts/usual-body.ts';
import { makeChats, untilSearchable } from '../api.ts';
import { startEmbedded } from '../embedded.ts';
import { figure, type Measurement } from '../figure.ts';
import { type Load, load } from '../load.ts';
import { processorTimeUs } from '../processor-time.ts';
import { startProgram } from '../programs.ts';
import { inTurns } from '../ratios.ts';

const sizes = { full: { runs: 5, seconds: 6 }, smoke: { runs: 1, seconds: 1 } };
const connections = 50;
const body = { body: usualBody };

export const embeddedCreate = figure({
  title: 'Embedded: creating messages',
  about: `${connections} connections create messages of 80 characters, one a request. The server syncs each message to the disk before
    it responds; meanwhile, it stores and indexes what it accepted. The processor time is that of all its threads and
    processes, until the last message is indexed. The reference, an *echo*, is a bare Fastify server that parses the body
    and sends it back.`,
  measure: async ({ scale, say }) => {
    const { runs, seconds } = sizes[scale];
    const [host, echo] = [await startEmbedded(), await startProgram('fastify-echo')];
    /** Adds the processor time of a request to the outcome of a load. */
    const withProcessorTime = async (target: Load, pid: number, untilDone: () => Promise<unknown>) => {
      const before = processorTimeUs(pid);
      const outcome = await load(target);
      await untilDone();
      return { ...outcome, processorUs: (processorTimeUs(pid) - before) / outcome.requests };
    };
    try {
      const measurements: Measurement[] = [];
      for (const count of [1, 100]) {
        const chats = await makeChats(host, count);
        const paths = chats.map((chat) => `${host.base}${chat}/messages`);
        const ours: Load = { origin: host.origin, paths, body, connections, seconds };
        const results = await inTurns(
          runs,
          (run) => {
            say(`${count} chats, run ${run + 1} of ${runs}`);
            // The backlog of one run must not slow down the next.
            return withProcessorTime(ours, host.pid, () => untilSearchable(host, chats[0] as string));
          },
          () =>
            withProcessorTime({ ...ours, origin: `http://127.0.0.1:${echo.ready}` }, echo.pid, () => Promise.resolve()),
        );
        const what = count === 1 ? 'in one chat' : `in ${count} chats`;
        measurements.push(
          {
            what: `creates ${what}`,
            unit: 'creates/s',
            values: results.ours.map(({ perSecond }) => perSecond),
            reference: { what: 'bare Fastify echo', values: results.reference.map(({ perSecond }) => perSecond) },
            bar: { atLeast: 0.5 },
          },
          {
            what: `processor time of a create ${what}`,
            unit: 'µs',
            values: results.ours.map(({ processorUs }) => processorUs),
            reference: { what: 'bare Fastify echo', values: results.reference.map(({ processorUs }) => processorUs) },
          },
          {
            what: `99th percentile ${what}`,
            unit: 'ms',
            values: results.ours.map(({ p99Ms }) => p99Ms),
            reference: { what: 'median of the same run', values: results.ours.map(({ medianMs }) => medianMs) },
            bar: { atMost: 5 },
          },
        );
      }
      return measurements;
    } finally {
      await host.stop();
      await echo.stop();
    }
  },
});
