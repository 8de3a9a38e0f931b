import { usualBody } from '../../texts/usual-body.ts';
import { makeChats, untilSearchable } from '../api.ts';
import { startEmbedded } from '../embedded.ts';
import { figure } from '../figure.ts';
import { load } from '../load.ts';
import { inTurns } from '../ratios.ts';

const sizes = { full: { runs: 7, seconds: 6 }, smoke: { runs: 1, seconds: 1 } };
const plain = { body: usualBody };
/** A message with all members; its metadata has 100 bytes. */
const complete = { ...plain, sender: 'user-17', metadata: { order: 1042, note: 'x'.repeat(76) } };

export const embeddedMembers = figure({
  title: 'Embedded: messages with a sender and metadata',
  about: `50 connections create messages of 80 characters one by one in one chat, with a sender and 100 bytes of metadata. The
    reference is the same server and messages that have neither.`,
  measure: async ({ scale, say }) => {
    const { runs, seconds } = sizes[scale];
    const host = await startEmbedded();
    try {
      const [chat] = (await makeChats(host, 1)) as [string];
      const paths = [`${host.base}${chat}/messages`];
      const rate = async (body: unknown) => {
        const { perSecond } = await load({ origin: host.origin, paths, body, connections: 50, seconds });
        // The backlog of one run must not slow down the next.
        await untilSearchable(host, chat);
        return perSecond;
      };
      const results = await inTurns(
        runs,
        (run) => {
          say(`run ${run + 1} of ${runs}`);
          return rate(complete);
        },
        () => rate(plain),
      );
      return [
        {
          what: 'creates with a sender and metadata',
          unit: 'creates/s',
          values: results.ours,
          reference: { what: 'without them', values: results.reference },
          bar: { atLeast: 0.9 },
        },
      ];
    } finally {
      await host.stop();
    }
  },
});
