import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { EventSource } from '../../local/event-source.ts';
import { numbers } from '../support/histories/writes.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

type Worker = (event: SQSEvent) => Promise<SQSBatchResponse>;

setLogLevel('silent');
const well: SQSBatchResponse = { batchItemFailures: [] };
const bodiesOf = ({ Records }: SQSEvent) => Records.map(({ body }) => body);

/** A queue whose acknowledgements can fail, as on a full disk. */
class FlakyQueue extends SqliteQueue {
  failures = 0;
  override async acknowledge(receipts: string[]): Promise<void> {
    if (this.failures-- > 0) throw new Error('the disk is full');
    await super.acknowledge(receipts);
  }
}

describe('the event source', () => {
  let file: SqliteFile;
  let queue: FlakyQueue;
  let source: EventSource | undefined;
  beforeEach(async () => {
    file = await openSqliteFile({ queue: queueMigrations });
    // Commits use setImmediate, which is not faked. The sync to the disk is replaced, so it takes no time either.
    file.database.sync = async () => undefined;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
    queue = new FlakyQueue(new GroupCommit(file.database), 'test', { visibilityMs: 10_000 });
  });
  afterEach(async () => {
    await source?.stop();
    source = undefined;
    // Before the real timers come back: one test spies on a fake timer.
    vi.restoreAllMocks();
    vi.useRealTimers();
    file.remove();
  });

  const start = (worker: Worker, batchSize = 10) => {
    source = new EventSource('test', queue, worker, batchSize);
    source.start();
  };
  /** Waits until nothing more happens without time passing. */
  const idle = async () => {
    for (let i = 0; i < 60; i++) await new Promise(setImmediate);
  };
  const elapse = async (milliseconds: number) => {
    await vi.advanceTimersByTimeAsync(milliseconds);
    await idle();
  };
  /** Expects that no message waits or is in flight, and that there are no dead letters. */
  const isEmpty = async () => {
    await elapse(3_600_000);
    return queue.nextInMs() === undefined && (await queue.deadLetters(1)).length === 0;
  };

  test('the event source gives waiting messages to the worker in batches, one at a time, and acknowledges them', async () => {
    const batches: string[][] = [];
    let inside = 0;
    await queue.send(numbers(1, 7).map(String));
    start(async (event) => {
      expect(inside++).toBe(0);
      await new Promise(setImmediate);
      inside--;
      batches.push(bodiesOf(event));
      return well;
    }, 3);
    await idle();
    expect(batches).toEqual([['1', '2', '3'], ['4', '5', '6'], ['7']]);
    expect(await isEmpty()).toBe(true);
    expect(batches).toHaveLength(3);
  });

  test('the event source wakes up for a message that is sent while it sleeps', async () => {
    const seen: string[] = [];
    start(async (event) => {
      seen.push(...bodiesOf(event));
      return well;
    });
    await idle();
    for (const body of ['a', 'b', 'c']) {
      await queue.send([body]);
      await idle();
    }
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  test('the event source retries a failed batch after 1 s, 2 s, 4 s and so on, up to 60 s', async () => {
    const times: number[] = [];
    await queue.send(['poison']);
    start(async () => {
      times.push(Date.now());
      throw new Error('the worker is out');
    });
    await idle();
    for (let i = 0; i < 400; i++) await elapse(500);
    const waits = times.slice(1).map((time, i) => Math.round((time - (times[i] as number)) / 1_000));
    expect(waits.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  test('the event source gives up no message during an outage of an hour, and processes all of them afterwards', async () => {
    const began = Date.now();
    const done: string[] = [];
    await queue.send(numbers(1, 25).map(String));
    start(async (event) => {
      if (Date.now() - began < 3_600_000) throw new Error('the store is out');
      done.push(...bodiesOf(event));
      return well;
    });
    await idle();
    for (let second = 0; second < 3_600; second++) await elapse(1_000);
    expect(await queue.deadLetters(1)).toEqual([]);
    for (let second = 0; second < 60; second++) await elapse(1_000);
    expect(done.toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers(1, 25).map(String));
    expect(await isEmpty()).toBe(true);
  });

  test('the event source retries exactly the messages that the worker names', async () => {
    const batches: string[][] = [];
    await queue.send(['good', 'bad', 'fine']);
    start(async (event) => {
      batches.push(bodiesOf(event));
      const failed = event.Records.filter(({ body }) => body === 'bad' && batches.length < 3);
      return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    });
    await idle();
    expect(batches).toEqual([['good', 'bad', 'fine']]);
    await elapse(1_000);
    await elapse(2_000);
    expect(batches.slice(1)).toEqual([['bad'], ['bad']]);
    expect(await isEmpty()).toBe(true);
  });

  test('the event source processes other messages while one waits for its retry', async () => {
    const seen: string[] = [];
    await queue.send(['held up']);
    start(async (event) => {
      seen.push(...bodiesOf(event));
      if (bodiesOf(event).includes('held up')) throw new Error('not now');
      return well;
    });
    await idle();
    await queue.send(['behind it']);
    await idle();
    expect(seen).toEqual(['held up', 'behind it']);
  });

  test('the event source tells the worker how often a message was delivered', async () => {
    const counts: (string | undefined)[] = [];
    await queue.send(['again']);
    start(async ({ Records }) => {
      counts.push(Records[0]?.attributes.ApproximateReceiveCount);
      if (counts.length < 3) throw new Error('not yet');
      return well;
    });
    await idle();
    await elapse(1_000);
    await elapse(2_000);
    expect(counts).toEqual(['1', '2', '3']);
  });

  test('the event source stops after the current batch, which is acknowledged', async () => {
    const gate = Promise.withResolvers<SQSBatchResponse>();
    let calls = 0;
    await queue.send(['under way', 'not begun']);
    start(() => {
      calls++;
      return gate.promise;
    }, 1);
    await idle();
    const stopped = source?.stop();
    gate.resolve(well);
    await stopped;
    expect(calls).toBe(1);
    expect((await queue.receive(10)).map(({ body }) => body)).toEqual(['not begun']);
  });

  test('the event source can wait longer than the longest timer, and wakes up for a message meanwhile', async () => {
    const seen: string[] = [];
    await queue.send(['late']);
    const [delivery] = await queue.receive(1);
    const delayMs = 40 * 24 * 3_600_000;
    await queue.release([delivery?.receipt ?? ''], delayMs / 1_000);
    const receive = vi.spyOn(queue, 'receive');
    const setTimer = vi.spyOn(globalThis, 'setTimeout');
    start(async (event) => {
      seen.push(...bodiesOf(event));
      return well;
    });
    await idle();
    await elapse(delayMs - 1_000);
    expect(receive.mock.calls.length).toBeLessThan(5);
    expect(Math.max(...setTimer.mock.calls.map(([, delay]) => delay ?? 0))).toBeLessThan(2 ** 31);
    await queue.send(['at once']);
    await idle();
    expect(seen).toEqual(['at once']);
    await elapse(1_000);
    expect(seen).toEqual(['at once', 'late']);
  });

  test.each([-3_600_000, 3_600_000, -40 * 24 * 3_600_000, 40 * 24 * 3_600_000])(
    'the event source processes all messages even if the system clock is moved by %i ms',
    async (change) => {
      const seen: string[] = [];
      await queue.send(['before', 'failing']);
      start(async (event) => {
        seen.push(...bodiesOf(event));
        const failed = event.Records.filter(({ body, attributes }) => {
          return body === 'failing' && attributes.ApproximateReceiveCount === '1';
        });
        return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
      });
      await idle();
      vi.setSystemTime(Date.now() + change);
      await queue.send(['after']);
      await idle();
      expect(seen).toEqual(['before', 'failing', 'after']);
      await elapse(1_000);
      expect(seen).toEqual(['before', 'failing', 'after', 'failing']);
    },
  );

  test('the event source stops at once while it sleeps', async () => {
    start(async () => well);
    await idle();
    await source?.stop();
  });

  test('the event source survives failures of the queue, and messages that could not be acknowledged are redelivered', async () => {
    const seen: string[] = [];
    queue.failures = 1;
    await queue.send(['first']);
    start(async (event) => {
      seen.push(...bodiesOf(event));
      return well;
    });
    await idle();
    for (let i = 0; i < 60; i++) await elapse(500);
    // The redelivery needs no further send.
    expect(seen).toEqual(['first', 'first']);
    await queue.send(['second']);
    await idle();
    expect(seen).toEqual(['first', 'first', 'second']);
    expect(await isEmpty()).toBe(true);
  });
});
