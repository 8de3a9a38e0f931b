import { rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { usualBody } from '../../texts/usual-body.ts';
import { createMessages, makeChats, untilSearchable } from '../api.ts';
import { importedToken, writeArchive } from '../archive.ts';
import { type Embedded, newDataFolder, startEmbedded } from '../embedded.ts';
import { type Bar, figure, type Measurement } from '../figure.ts';
import { load } from '../load.ts';
import { peakMbOfOps } from '../ops.ts';
import { probe } from '../probes.ts';

const sizes = {
  full: { loads: 3, runs: 3, seconds: 5, purged: 1_000_000, imported: 300_000 },
  smoke: { loads: 1, runs: 1, seconds: 0.1, purged: 500, imported: 500 },
};
/** The time between two requests of a probe, in milliseconds. */
const everyMs = 20;
/** The time between two looks at memory and at the progress of a load, in milliseconds. */
const sampleMs = 100;
const inBatch = 1_000;
/** A body of 900 characters. A batch of them is nearly as large as a request may be. */
const longBody = usualBody.repeat(12).slice(0, 900);
/** A page of this many messages is read. */
const pageSize = 20;

/** The batches that are created at full speed, by the name of the load. */
const batchLoads = {
  'batches of 80 characters': { body: usualBody, connections: 50, inSame: false },
  'batches of 80 characters in the same application': { body: usualBody, connections: 50, inSame: true },
  'batches of 900 characters': { body: longBody, connections: 20, inSame: false },
};

/** What was measured beside one load. */
interface Sample {
  /** The 99th percentiles of creates and of reads. */
  createsMs: number;
  readsMs: number;
  peakMb: number;
}

export const embeddedFairness = figure({
  title: 'Embedded: single requests beside heavy work',
  matrix: true,
  about: `50 creates and 50 reads a second, of one message and of a page of ${pageSize} in turn; none waits for the response of another.
    Beside them, there is one load at a time: batches of ${inBatch.toLocaleString('en-US')} messages as fast as they are accepted, of 80 characters on 50
    connections or of 900 characters on 20; the purge of a deleted chat of 1,000,000 messages; or the storing of 300,000
    messages that were imported before the server started. \`script/ops import\` and \`reindex\` cannot run beside a server,
    so only their memory is measured. Memory is that of \`embedded-memory\`.`,
  measure: async ({ scale, say }) => {
    const { loads, runs, seconds, purged, imported } = sizes[scale];
    const alone: Sample[] = [];
    const beside = new Map<string, Sample[]>();

    for (const [name, { body, connections, inSame }] of Object.entries(batchLoads).slice(0, loads)) {
      const host = await startEmbedded();
      try {
        const chat = await filledChat(host);
        const target = inSame ? chat : ((await makeChats(host, 1)) as [string])[0];
        alone.push(await sampleDuring(host, chat, sleep(seconds * 1_000)));
        const samples: Sample[] = [];
        for (let run = 0; run < runs; run++) {
          say(`${name}, run ${run + 1} of ${runs}`);
          const batches = load({
            origin: host.origin,
            paths: [`${host.base}${target}/messages/batch`],
            body: { messages: Array.from({ length: inBatch }, () => ({ body })) },
            connections,
            // wrk takes whole seconds.
            seconds: Math.ceil(seconds),
          });
          samples.push(await sampleDuring(host, chat, batches));
        }
        beside.set(name, samples);
      } finally {
        await host.stop();
      }
    }

    const folder = newDataFolder();
    const dataDir = path.join(folder, 'data');
    try {
      const host = await startEmbedded(dataDir);
      const chat = await filledChat(host);
      try {
        say(`creating ${purged.toLocaleString('en-US')} messages`);
        const deleted = ((await makeChats(host, 1)) as [string])[0];
        await createMessages(host, deleted, purged, usualBody);
        await untilSearchable(host, deleted);
        say('purging them');
        const deletion = await fetch(`${host.origin}${host.base}${deleted}`, { method: 'DELETE' });
        if (!deletion.ok) throw new Error(`The deletion returned ${deletion.status}`);
        const purging = untilInStore(dataDir, 'SELECT 1 FROM purges WHERE pass = 2');
        beside.set('a purge', [await sampleDuring(host, chat, purging)]);
      } finally {
        await host.stop();
      }
      say(`importing ${imported.toLocaleString('en-US')} messages`);
      const file = path.join(folder, 'archive.ndjson');
      writeArchive(file, imported);
      const importMb = await peakMbOfOps('import', file, '--data-dir', dataDir);
      const restarted = await startEmbedded(dataDir);
      try {
        say('storing them');
        const last = `SELECT 1 FROM messages WHERE token = '${importedToken}' AND chat = 1 AND number = ${imported}`;
        beside.set('the storing of an import', [await sampleDuring(restarted, chat, untilInStore(dataDir, last))]);
        await untilSearchable(restarted, chat);
      } finally {
        await restarted.stop();
      }
      say('reindexing them');
      const reindexMb = await peakMbOfOps('reindex', '--data-dir', dataDir);
      return [
        ...timesOf('without a load', alone),
        ...[...beside].flatMap(([name, samples]) => [
          ...timesOf(`beside ${name}`, samples, { atMost: 100 }),
          memoryOf(
            `beside ${name}`,
            samples.map(({ peakMb }) => peakMb),
          ),
        ]),
        memoryOf('`script/ops import` itself', [importMb]),
        memoryOf('`script/ops reindex` itself', [reindexMb]),
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
});

const timesOf = (row: string, samples: Sample[], bar?: Bar): Measurement[] =>
  (
    [
      ['creates', samples.map(({ createsMs }) => createsMs)],
      ['reads', samples.map(({ readsMs }) => readsMs)],
    ] as const
  ).map(([requests, values]) => ({
    what: `${row}: 99th percentile of ${requests}`,
    unit: 'ms',
    values,
    ...(bar && { bar }),
  }));

const memoryOf = (row: string, values: number[]): Measurement => ({
  what: `${row}: peak memory`,
  unit: 'MB',
  values,
  bar: { atMost: 300 },
});

/** Creates a chat with a page of messages that are stored. Returns its path. */
async function filledChat(host: Embedded): Promise<string> {
  const [chat] = (await makeChats(host, 1)) as [string];
  await createMessages(host, chat, pageSize, usualBody);
  await untilSearchable(host, chat);
  return chat;
}

/** Sends single requests to the chat, and looks at the memory of the host, until the work is done. */
async function sampleDuring(host: Embedded, chat: string, work: Promise<unknown>): Promise<Sample> {
  let isOver = false;
  const done = work.finally(() => {
    isOver = true;
  });
  const messages = `${host.base}${chat}/messages`;
  const options = { everyMs, isOver: () => isOver };
  const [createsMs, readsMs, peakMb] = await Promise.all([
    probe(host.origin, [{ path: messages, body: { body: usualBody } }], options),
    probe(host.origin, [{ path: `${messages}/1` }, { path: `${messages}?limit=${pageSize}` }], options),
    peakMbUntil(host, options.isOver),
    done,
  ]);
  return { createsMs, readsMs, peakMb };
}

async function peakMbUntil({ memoryMb }: Embedded, isOver: () => boolean): Promise<number> {
  let peak = memoryMb();
  while (!isOver()) {
    await sleep(sampleMs);
    peak = Math.max(peak, memoryMb());
  }
  return peak;
}

/** Resolves when the query has a row in the store of the folder. */
async function untilInStore(dataDir: string, query: string): Promise<void> {
  const store = new DatabaseSync(path.join(dataDir, 'store.db'), { readOnly: true });
  try {
    while (!store.prepare(query).get()) await sleep(sampleMs);
  } finally {
    store.close();
  }
}
