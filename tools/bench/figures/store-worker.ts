import { randomUUID } from 'node:crypto';
import { perQueueService } from '../../../functions/queues.ts';
import { storeWorker } from '../../../functions/workers/store.ts';
import type { Write } from '../../../lib/model/write.ts';
import { decodeWrites, encodeWrites } from '../../../lib/queue/records.ts';
import { lambdaContext, sqsEvent } from '../../../local/lambda-events.ts';
import { median } from '../../statistics/quantiles.ts';
import { usualBody } from '../../texts/usual-body.ts';
import { type Bar, figure, type Measurement } from '../figure.ts';
import { inTurns } from '../ratios.ts';
import { makeDatabase, type ScratchDatabase } from '../scratch.ts';
import { msOf } from '../time.ts';

const sizes = { full: { runs: 11, batches: 25 }, smoke: { runs: 1, batches: 2 } };
const rows = 1_000;
const bar: Bar = { atLeast: 0.8 };

export const storeWorkerFigure = figure({
  title: 'AWS: storing messages',
  about: `The store worker stores batches of 1,000 new messages of 80 characters of one chat in MariaDB: it decodes the records, each
    with a request id, merges the messages, and sends their keys to a queue that drops them. The first row is the merge
    alone. The reference is one INSERT of the same rows into an identical table, in turns. A rate is that of the run's median
    batch.`,
  measure: async ({ scale, say, servers }) => {
    const { runs, batches } = sizes[scale];
    const database = await makeDatabase(await servers());
    try {
      const source = new Source();
      await database.store.merge(source.parents);
      const insert = await rawInsert(database);
      const { store } = database;
      const queue = { send: async () => undefined, addDeadLetters: async () => undefined };
      const worker = storeWorker({ store, ...perQueueService(() => queue) });
      const work = (bodies: string[]) => {
        const event = sqsEvent(
          'bench',
          bodies.map((body, i) => ({ receipt: String(i), body, receives: 1 })),
        );
        return () => Promise.resolve(worker(event, lambdaContext('bench')));
      };
      const ways: [what: string, prepare: (writes: Write[]) => () => Promise<unknown>][] = [
        ['merging alone', (writes) => () => store.merge(writes)],
        ['the worker, for one record of 1,000 messages', (writes) => work([encodeWrites(writes, [randomUUID()])])],
        [
          'the worker, for 1,000 records of one message',
          (writes) => work(writes.map((write) => encodeWrites([write], [randomUUID()]))),
        ],
      ];
      const measurements: Measurement[] = [];
      for (const [what, prepare] of ways) {
        say(what);
        const values: { ours: number[]; insert: number[] } = { ours: [], insert: [] };
        for (let run = 0; run < runs; run++) {
          const ms = await inTurns(
            batches,
            () => msOf(prepare(source.next())),
            () => {
              const writes = source.next();
              return msOf(() => insert(writes));
            },
          );
          values.ours.push(rate(ms.ours));
          values.insert.push(rate(ms.reference));
        }
        measurements.push({
          what,
          unit: 'messages/s',
          values: values.ours,
          reference: { what: 'one INSERT', values: values.insert },
          bar,
        });
      }
      return measurements;
    } finally {
      await database.drop();
    }
  },
});

/**
 * Returns messages per second from the median time of a batch, because interruptions affect single batches at random.
 */
const rate = (ms: number[]): number => (rows * 1_000) / median(ms);

/** Makes batches of new messages of one chat. */
class Source {
  readonly #token = 'bench';
  #last = 0;
  readonly parents: Write[] = [
    { kind: 'application', token: this.#token, revision: 0, at: Date.now(), name: 'bench' },
    { kind: 'chat', token: this.#token, chat: 1, revision: 0, at: Date.now(), name: null },
  ];

  /** Returns the writes of the next batch as the worker has them after decoding, where no two share a string. */
  next(): Write[] {
    const at = Date.now();
    const message = { kind: 'message', token: this.#token, chat: 1, revision: 0, at, content: { body: usualBody } };
    const writes = Array.from({ length: rows }, () => ({ ...message, number: ++this.#last }) as Write);
    return decodeWrites(encodeWrites(writes));
  }
}

/** Returns the reference: one INSERT in a transaction, in a table and a session like those of the store. */
async function rawInsert({ plain }: ScratchDatabase): Promise<(writes: Write[]) => Promise<void>> {
  await plain.query('CREATE TABLE raw_messages LIKE messages');
  await plain.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  return async (writes) => {
    await plain.query('BEGIN');
    await plain.query(
      'INSERT INTO raw_messages (token, chat, number, body, revision, deleted, created_at, updated_at) VALUES ?',
      [
        writes.map((write) => {
          if (write.kind !== 'message') throw new TypeError('Only messages are measured');
          const { token, chat, number, content, revision, at } = write;
          return [token, chat, number, content.body, revision, 0, at, at];
        }),
      ],
    );
    await plain.query('COMMIT');
  };
}
