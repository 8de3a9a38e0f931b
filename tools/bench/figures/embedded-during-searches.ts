import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { percentile } from '../../statistics/quantiles.ts';
import { usualBody } from '../../texts/usual-body.ts';
import { call, createMessages, makeChats, untilSearchable } from '../api.ts';
import { type Embedded, startEmbedded } from '../embedded.ts';
import { figure, type Measurement } from '../figure.ts';
import { inTurns } from '../ratios.ts';
import { msOf } from '../time.ts';

const sizes = {
  full: { loads: 4, runs: 3, seconds: 10, old: 12_000, newer: 300_000, long: 6_000 },
  smoke: { loads: 1, runs: 1, seconds: 1, old: 200, newer: 200, long: 20 },
};
const connections = 50;
/** The number of applications that one tenant searches in the last of the loads. */
const applications = 12;
/** The time between two requests of a probe, in milliseconds. A probe measures waiting times and must not add load. */
const pauseMs = 5;

/** The searches of the tenant at full speed, in one of its applications or in all of them. */
const searchLoads = {
  'something old and common': { q: 'zebra', inAll: false },
  'a run of equal characters': { q: 'a'.repeat(18), inAll: false },
  'something ordinary': { q: 'thirteen', inAll: false },
  'a run of equal characters in 12 applications': { q: 'a'.repeat(18), inAll: true },
};

export const embeddedDuringSearches = figure({
  title: 'Embedded: requests during searches of another tenant',
  about: `Three clients send one request after the other: creates, /health, and searches of an application of their own. Meanwhile,
    ${connections} connections of another tenant search as fast as they can for a word in 12,000 messages that are older than 300,000
    messages without it; for 18 equal characters among 6,000 messages of 10,000 such characters; for a word in every newer
    message; or for the 18 characters in ${applications} applications with 1,000 such messages each. The reference is the same without
    that tenant. Some of the tenant's searches get 503, because they waited too long.`,
  measure: async ({ scale, say }) => {
    const { loads, runs, seconds, old, newer, long } = sizes[scale];
    const host = await startEmbedded();
    try {
      const made = await Promise.all(Array.from({ length: 3 + applications }, () => makeChats(host, 1)));
      const [busy, quiet, chat, ...many] = made.flat() as [string, string, string, ...string[]];
      await createMessages(host, busy, old, 'zebra was here');
      await createMessages(host, busy, newer, usualBody);
      await createMessages(host, busy, long, `${'a'.repeat(9_999)}b`);
      for (const each of many) await createMessages(host, each, Math.ceil(long / 6), `${'a'.repeat(9_999)}b`);
      await createMessages(host, quiet, newer, usualBody);
      await untilSearchable(host, quiet);

      const probes = {
        creates: () => call(host, `${chat}/messages`, { body: usualBody }),
        '/health': () => call(host, '/health'),
        // A 503 is not an error here, because the time to the response is measured.
        "another tenant's searches": async () => {
          const response = await fetch(`${host.origin}${host.base}${quiet}/messages/search?q=thirteen`);
          await response.arrayBuffer();
        },
      };
      const measureAll = async (searchLoad?: { q: string; inAll: boolean }) => {
        const searched = searchLoad?.inAll ? many : [busy];
        const searching = searchLoad && searchAtFullSpeed(host, searched, searchLoad.q, seconds + 1);
        const until = performance.now() + seconds * 1_000;
        const p99s = await Promise.all(Object.values(probes).map((probe) => p99Until(probe, until)));
        await searching;
        await untilSearchable(host, chat);
        return p99s;
      };
      const measurements: Measurement[] = [];
      for (const [kind, searchLoad] of Object.entries(searchLoads).slice(0, loads)) {
        const { ours, reference } = await inTurns(
          runs,
          (run) => {
            say(`${kind}, run ${run + 1} of ${runs}`);
            return measureAll(searchLoad);
          },
          () => measureAll(),
        );
        for (const [i, what] of Object.keys(probes).entries())
          measurements.push({
            what: `${what} during searches for ${kind}: 99th percentile`,
            unit: 'ms',
            values: ours.map((p99s) => p99s[i] as number),
            reference: { what: 'without', values: reference.map((p99s) => p99s[i] as number) },
            bar: { atMost: 3 },
          });
      }
      return measurements;
    } finally {
      await host.stop();
    }
  },
});

async function p99Until(probe: () => Promise<unknown>, until: number): Promise<number> {
  const times: number[] = [];
  while (performance.now() < until || times.length === 0) {
    times.push(await msOf(probe));
    await sleep(pauseMs);
  }
  return percentile(times, 99);
}

/** Searches the applications of the chats, and ignores the responses. */
async function searchAtFullSpeed({ origin, base }: Embedded, chats: string[], q: string, seconds: number) {
  const ofEach = Math.ceil(connections / chats.length);
  const run = promisify(execFile);
  await Promise.all(
    chats.map((chat) => {
      const application = chat.slice(0, chat.indexOf('/chats'));
      const url = `${origin}${base}${application}/search?q=${encodeURIComponent(q)}`;
      return run('wrk', ['--threads', '1', '--connections', `${ofEach}`, '--duration', `${seconds}s`, url]);
    }),
  );
}
