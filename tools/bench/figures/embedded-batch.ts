import { usualBody } from '../../texts/usual-body.ts';
import { makeChats, untilSearchable } from '../api.ts';
import { startEmbedded } from '../embedded.ts';
import { figure } from '../figure.ts';
import { load } from '../load.ts';
import { startProgram } from '../programs.ts';
import { inTurns } from '../ratios.ts';

const sizes = {
  full: { runs: 5, seconds: 5, connections: 50, pauseMs: 0 },
  // The pause leaves few messages to be indexed, which takes longer than accepting them.
  smoke: { runs: 1, seconds: 1, connections: 1, pauseMs: 50 },
};
const messages = 100;
const body = { messages: Array.from({ length: messages }, () => ({ body: usualBody })) };

export const embeddedBatch = figure({
  title: `Embedded: creating messages in batches of ${messages}`,
  about: `50 connections create messages of 80 characters in one chat, ${messages} a request. The reference is a loop that inserts the same
    messages into a SQLite table in synced transactions, without HTTP, JSON and numbers.`,
  measure: async ({ scale, say }) => {
    const { runs, seconds, connections, pauseMs } = sizes[scale];
    const host = await startEmbedded();
    try {
      const [chat] = (await makeChats(host, 1)) as [string];
      const accepted = await inTurns(
        runs,
        async (run) => {
          say(`run ${run + 1} of ${runs}`);
          const paths = [`${host.base}${chat}/messages/batch`];
          const { perSecond } = await load({ origin: host.origin, paths, body, connections, seconds, pauseMs });
          await untilSearchable(host, chat);
          return perSecond * messages;
        },
        async () => {
          const inserts = await startProgram('sqlite-inserts', String(seconds));
          await inserts.stop();
          return inserts.ready as number;
        },
      );
      const measured = { what: `messages in batches of ${messages}`, unit: 'messages/s', values: accepted.ours };
      return [
        { ...measured, bar: { atLeast: 60_000 } },
        { ...measured, reference: { what: 'bare SQLite inserts', values: accepted.reference } },
      ];
    } finally {
      await host.stop();
    }
  },
});
