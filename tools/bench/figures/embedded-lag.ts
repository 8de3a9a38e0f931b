import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { median, percentile } from '../../statistics/quantiles.ts';
import { usualBody } from '../../texts/usual-body.ts';
import { makeChats, untilSearchable } from '../api.ts';
import { type Embedded, startEmbedded } from '../embedded.ts';
import { figure } from '../figure.ts';
import { type Load, load } from '../load.ts';
import { startProgram } from '../programs.ts';
import { inTurns } from '../ratios.ts';

const sizes = {
  full: { runs: 3, peakSeconds: 5, steadySeconds: 30 },
  smoke: { runs: 1, peakSeconds: 1, steadySeconds: 2 },
};
const connections = 50;
const body = { body: usualBody };

export const embeddedLag = figure({
  title: 'Embedded: from accepted to searchable',
  about: `${connections} connections create messages as fast as they can (the peak; its reference is the same server without its worker
    thread), and then at half of that rate. Meanwhile, one client creates a message, searches for it until a search finds
    it, and starts again. If a backlog grew, this would take longer in the last third of the run than in the first.`,
  measure: async ({ scale, say }) => {
    const { runs, peakSeconds, steadySeconds } = sizes[scale];
    const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-bench-'));
    const [host, alone] = [await startEmbedded(), await startProgram('accepting-alone', folder)];
    try {
      const [chat] = (await makeChats(host, 1)) as [string];
      const withoutWorker: Embedded = { ...host, origin: `http://127.0.0.1:${alone.ready}` };
      const [chatWithoutWorker] = (await makeChats(withoutWorker, 1)) as [string];
      const at = ({ origin, base }: Embedded, of: string): Load => ({
        origin,
        paths: [`${base}${of}/messages`],
        body,
        connections,
        seconds: peakSeconds,
      });
      const peaks = await inTurns(
        runs,
        async (run) => {
          say(`peak, run ${run + 1} of ${runs}`);
          const outcome = await load(at(host, chat));
          await untilSearchable(host, chat);
          return outcome;
        },
        () => load(at(withoutWorker, chatWithoutWorker)),
      );
      const peak = median(peaks.ours.map(({ perSecond }) => perSecond));
      // At half of the peak rate, a connection sends a request every 2 × connections / peak seconds. The pause is that
      // time minus the time of a response, which is assumed to be half as long as at the peak.
      const responseMs = median(peaks.ours.map(({ medianMs }) => medianMs)) / 2;
      const pauseMs = Math.max(Math.round((2_000 * connections) / peak - responseMs), 1);
      const runsAtHalf = [];
      for (let run = 0; run < runs; run++) {
        say(`half of the peak, run ${run + 1} of ${runs}`);
        runsAtHalf.push(await lagDuring(host, chat, { ...at(host, chat), seconds: steadySeconds, pauseMs }));
      }
      return [
        {
          what: 'rate of creates during the searches',
          unit: 'creates/s',
          values: runsAtHalf.map(({ perSecond }) => perSecond),
          reference: { what: 'peak', values: runsAtHalf.map(() => peak) },
        },
        {
          what: 'time until a search finds a message: median',
          unit: 'ms',
          values: runsAtHalf.map(({ lags }) => median(lags)),
        },
        {
          what: 'time until a search finds a message: 99th percentile',
          unit: 'ms',
          values: runsAtHalf.map(({ lags }) => percentile(lags, 99)),
          bar: { atMost: 1_000 },
        },
        {
          what: 'the same time in the last third of the run: median',
          unit: 'ms',
          values: runsAtHalf.map(({ lags }) => median(lags.slice(Math.floor((lags.length * 2) / 3)))),
          reference: {
            what: 'in the first third',
            values: runsAtHalf.map(({ lags }) => median(lags.slice(0, Math.ceil(lags.length / 3)))),
          },
          bar: { atMost: 1.5 },
        },
        {
          what: 'peak rate with the worker thread',
          unit: 'creates/s',
          values: peaks.ours.map(({ perSecond }) => perSecond),
          reference: { what: 'without the worker thread', values: peaks.reference.map(({ perSecond }) => perSecond) },
          bar: { atLeast: 0.8 },
        },
      ];
    } finally {
      await host.stop();
      await alone.stop();
      rmSync(folder, { recursive: true });
    }
  },
});

/**
 * Creates and searches for one message after the other during the load. Returns the time to find each, in milliseconds.
 */
async function lagDuring(host: Embedded, chat: string, steady: Load): Promise<{ perSecond: number; lags: number[] }> {
  let over = false;
  const loading = load(steady).finally(() => {
    over = true;
  });
  const lags: number[] = [];
  while (!over || lags.length === 0) lags.push(await untilSearchable(host, chat));
  return { perSecond: (await loading).perSecond, lags };
}
