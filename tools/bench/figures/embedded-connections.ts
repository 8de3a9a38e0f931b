import { usualBody } from '../../texts/usual-body.ts';
import { makeChats, untilSearchable } from '../api.ts';
import { startEmbedded } from '../embedded.ts';
import { figure } from '../figure.ts';
import { type Load, load } from '../load.ts';
import { startProgram } from '../programs.ts';
import { inTurns } from '../ratios.ts';

const sizes = { full: { runs: 5, seconds: 15, connections: 10_000 }, smoke: { runs: 1, seconds: 1, connections: 200 } };

export const embeddedConnections = figure({
  title: 'Embedded: creating messages from 10,000 connections',
  about: `10,000 connections, opened at the same time, create messages in one chat, each one after the other. The time of a request
    includes the wait until its connection is accepted. The reference is the echo of \`embedded-create\`.`,
  measure: async ({ scale, say }) => {
    const { runs, seconds, connections } = sizes[scale];
    const [host, echo] = [await startEmbedded(), await startProgram('fastify-echo')];
    try {
      const [chat] = (await makeChats(host, 1)) as [string];
      const paths = [`${host.base}${chat}/messages`];
      const ours: Load = { origin: host.origin, paths, body: { body: usualBody }, connections, seconds };
      const results = await inTurns(
        runs,
        async (run) => {
          say(`run ${run + 1} of ${runs}`);
          const outcome = await load(ours);
          await untilSearchable(host, chat);
          return outcome;
        },
        () => load({ ...ours, origin: `http://127.0.0.1:${echo.ready}` }),
      );
      return [
        {
          what: 'creates',
          unit: 'creates/s',
          values: results.ours.map(({ perSecond }) => perSecond),
          reference: { what: 'bare Fastify echo', values: results.reference.map(({ perSecond }) => perSecond) },
          bar: { atLeast: 0.4 },
        },
        {
          what: '99th percentile',
          unit: 'ms',
          values: results.ours.map(({ p99Ms }) => p99Ms),
          reference: { what: 'bare Fastify echo', values: results.reference.map(({ p99Ms }) => p99Ms) },
          bar: { atMost: 4 },
        },
      ];
    } finally {
      await host.stop();
      await echo.stop();
    }
  },
});
