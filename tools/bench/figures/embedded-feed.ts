import { setTimeout as sleep } from 'node:timers/promises';
import { median, percentile } from '../../statistics/quantiles.ts';
import { usualBody } from '../../texts/usual-body.ts';
import { makeChats, untilSearchable } from '../api.ts';
import { startEmbedded } from '../embedded.ts';
import { figure, type Measurement } from '../figure.ts';
import { Followers } from '../followers.ts';
import { load } from '../load.ts';
import { inTurns } from '../ratios.ts';

const sizes = {
  full: { runs: 3, seconds: 10, few: 1_000, many: 10_000 },
  smoke: { runs: 1, seconds: 1, few: 20, many: 100 },
};
const chatCount = 100;
/**
 * The number of creates per second, with few and with many followers. With many, each chat has a hundred followers.
 */
const createRates = { few: 100, many: 50 };
const connections = 50;

export const embeddedFeed = figure({
  title: 'Embedded: following live',
  about: `Followers hold streams of server-sent events, each of one chat, in one process on the processors of the server. The time is
    from before a create is sent until a follower has the event, with two syncs of the disk: of the ledger and of the store.`,
  measure: async ({ scale, say }) => {
    const { runs, seconds, few, many } = sizes[scale];
    const host = await startEmbedded();
    try {
      const chats = await makeChats(host, chatCount);
      const measurements: Measurement[] = [];
      const latency = async (count: number, rate: number, bars: { p50: number; p99: number }) => {
        say(`${count} followers`);
        const followers = await Followers.open(host, chats, count);
        const each: number[][] = [];
        for (let run = 0; run <= runs; run++) {
          await followers.sendSteadily(chats, rate, seconds);
          const times = await followers.take((rate * seconds * count) / chatCount);
          // The first run warms up.
          if (run > 0) each.push(times);
        }
        const what = `${count.toLocaleString('en-US')} followers in ${chatCount} chats, ${rate} creates/s, ${(rate * count) / chatCount} deliveries/s`;
        measurements.push(
          {
            what: `${what}: median`,
            unit: 'ms',
            values: each.map((times) => median(times)),
            bar: { atMost: bars.p50 },
          },
          {
            what: `${what}: 99th percentile`,
            unit: 'ms',
            values: each.map((times) => percentile(times, 99)),
            bar: { atMost: bars.p99 },
          },
        );
        return followers;
      };
      await (await latency(few, createRates.few, { p50: 3, p99: 15 })).close();

      const before = host.memoryMb();
      const followers = await latency(many, createRates.many, { p50: 10, p99: 80 });
      measurements.push({
        what: 'memory of the server for each of these followers',
        unit: 'kB',
        values: [((host.memoryMb() - before) * 1_024) / many],
        bar: { atMost: 12 },
      });

      const body = { body: usualBody };
      const [quiet] = (await makeChats(host, 1)) as [string];
      const at = { origin: host.origin, paths: [`${host.base}${quiet}/messages`], body, connections, seconds };
      const creates = async () => {
        const { perSecond } = await load(at);
        await untilSearchable(host, quiet);
        return perSecond;
      };
      await followers.close();
      const rates = await inTurns(
        runs,
        async (run) => {
          say(`creates with and without idle followers, run ${run + 1} of ${runs}`);
          const idle = await Followers.open(host, chats, many);
          const perSecond = await creates();
          await idle.close();
          return perSecond;
        },
        creates,
      );
      measurements.push({
        what: `creates beside ${many.toLocaleString('en-US')} idle followers`,
        unit: 'creates/s',
        values: rates.ours,
        reference: { what: 'without followers', values: rates.reference },
        bar: { atLeast: 0.95 },
      });

      say(`one message to ${many} followers`);
      const [crowded] = (await makeChats(host, 1)) as [string];
      const crowd = await Followers.open(host, [crowded], many);
      const last: number[] = [];
      for (let run = 0; run <= runs; run++) {
        await sleep(500);
        await crowd.send(crowded);
        const times = await crowd.take(many);
        if (run > 0) last.push(Math.max(...times));
      }
      await crowd.close();
      measurements.push({
        what: `one message to ${many.toLocaleString('en-US')} followers of one chat: until the last has it`,
        unit: 'ms',
        values: last,
        bar: { atMost: 250 },
      });
      return measurements;
    } finally {
      await host.stop();
    }
  },
});
