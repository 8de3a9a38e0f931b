import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../../statistics/quantiles.ts';
import { usualBody } from '../../texts/usual-body.ts';
import { makeChats } from '../api.ts';
import { startEmbedded } from '../embedded.ts';
import { figure } from '../figure.ts';
import { load } from '../load.ts';

const sizes = { full: { seconds: 300 }, smoke: { seconds: 2 } };
const sampleMs = 500;
const chats = 100;

export const embeddedMemory = figure({
  title: 'Embedded: memory',
  about: `The resident memory of the process that serves HTTP and the private memory of its reader processes, of which 58 MB are the
    executable of Node.js. 50 connections create messages in ${chats} chats as fast as they can for five minutes.`,
  measure: async ({ scale, say }) => {
    const { seconds } = sizes[scale];
    const host = await startEmbedded();
    try {
      const idle = host.memoryMb();
      const paths = (await makeChats(host, chats)).map((chat) => `${host.base}${chat}/messages`);
      say(`${seconds} s of load`);
      let over = false;
      const loading = load({
        origin: host.origin,
        paths,
        body: { body: usualBody },
        connections: 50,
        seconds,
      }).finally(() => {
        over = true;
      });
      const samples: number[] = [];
      while (!over) {
        await sleep(sampleMs);
        samples.push(host.memoryMb());
      }
      const { requests } = await loading;
      const fifth = Math.ceil(samples.length / 5);
      return [
        { what: 'before the load', unit: 'MB', values: [idle] },
        {
          what: `peak while ${requests.toLocaleString('en-US')} messages were created`,
          unit: 'MB',
          values: [Math.max(...samples)],
          bar: { atMost: 250 },
        },
        {
          what: 'median of the last fifth of the load',
          unit: 'MB',
          values: [median(samples.slice(-fifth))],
          reference: { what: 'of the second fifth', values: [median(samples.slice(fifth, 2 * fifth))] },
          bar: { atMost: 1.1 },
        },
      ];
    } finally {
      await host.stop();
    }
  },
});
