import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../lib/limits.ts';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { newClock } from '../support/basics/clock.ts';
import { numbers } from '../support/histories/writes.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

/** Waits long enough for a commit. */
const turn = async () => {
  for (let i = 0; i < 3; i++) await setImmediate();
};

// Tests only of the embedded queue. The contract of all queues is in test/contract.
describe('the embedded queue', () => {
  const clock = newClock();
  const elapsed = newClock(0);
  let file: SqliteFile;
  let commits: GroupCommit;
  let queue: SqliteQueue;
  beforeEach(async () => {
    file = await openSqliteFile({ queue: queueMigrations });
    commits = new GroupCommit(file.database);
    queue = new SqliteQueue(commits, 'one', { now: clock, elapsed });
  });
  afterEach(() => file.remove());

  const bodies = async (max: number) => (await queue.receive(max)).map(({ body }) => body);

  test('queues with different names share a file, and none changes the messages of another', async () => {
    const other = new SqliteQueue(commits, 'two', { now: clock, elapsed });
    await queue.send(['mine']);
    await other.send(['theirs']);
    await other.addDeadLetters([{ body: 'theirs', reason: 'because' }]);
    const [delivery] = await queue.receive(10);
    expect(delivery?.body).toBe('mine');
    expect(await queue.deadLetters(10)).toEqual([]);
    await queue.acknowledge(['1', '2', '3']);
    await queue.release(['1', '2', '3'], 60);
    expect((await other.receive(10)).map(({ body }) => body)).toEqual(['theirs']);
  });

  test('the embedded queue delivers waiting messages in their order, and a released one after them', async () => {
    await queue.send(['1', '2']);
    await queue.send(['3']);
    const [first] = await queue.receive(1);
    await queue.release([first?.receipt ?? ''], 1);
    elapsed.advance(1_000);
    await queue.send(['4']);
    expect(await bodies(10)).toEqual(['2', '3', '1', '4']);
  });

  test('the embedded queue keeps dead letters in order, oldest first', async () => {
    for (const i of numbers(1, 5)) await queue.addDeadLetters([{ body: `${i}`, reason: 'because' }]);
    expect((await queue.deadLetters(3)).map(({ body }) => body)).toEqual(['1', '2', '3']);
  });

  test('the embedded queue lists all unacknowledged records: waiting, in flight and released', async () => {
    const other = new SqliteQueue(commits, 'two', { now: clock, elapsed });
    await other.send(['theirs']);
    await queue.send(numbers(1, 25).map(String));
    const [first, second] = await queue.receive(3);
    await queue.acknowledge([first?.receipt ?? '']);
    await queue.release([second?.receipt ?? ''], 60);
    const shown: string[] = [];
    for await (const body of queue.records()) shown.push(body);
    expect(shown).toEqual(numbers(2, 25).map(String));
    expect(await bodies(100)).toEqual(numbers(4, 25).map(String));
  });

  test("a receive returns at most the text that fits into a function's event, but at least one message", async () => {
    const large = 'x'.repeat(limits.deliveryCharacters + 1);
    await queue.send([large, large, '3', '4']);
    expect(await queue.receive(10)).toHaveLength(1);
    expect(await queue.receive(10)).toHaveLength(1);
    expect(await bodies(10)).toEqual(['3', '4']);
  });

  test('the embedded queue notifies about new messages only after their commit', async () => {
    const told: number[] = [];
    queue.onMessages(() => told.push(Number(file.database.raw.isTransaction)));
    await commits.run(() => undefined);
    expect(told).toEqual([]);
    await queue.send(['1']);
    expect(told).toEqual([0]);
    await queue.acknowledge([]);
    expect(told).toEqual([0]);
    const inserted = commits.run(() => queue.insert(['2']));
    expect(told).toEqual([0]);
    await inserted;
    expect(told).toEqual([0, 0]);
  });

  test('the embedded queue does not deliver a committed message before it is on the disk', async () => {
    const disk = Promise.withResolvers<void>();
    file.database.sync = () => disk.promise;
    const sent = queue.send(['1']);
    await turn();
    let synced = false;
    const received = bodies(10).then((texts) => ({ texts, synced }));
    await turn();
    synced = true;
    disk.resolve();
    expect(await received).toEqual({ texts: ['1'], synced: true });
    await sent;
  });

  test('a message of a failed transaction is not delivered', async () => {
    const failing = commits.run(() => {
      queue.insert(['never']);
      throw new Error('refused');
    });
    await expect(failing).rejects.toThrow('refused');
    expect(await bodies(10)).toEqual([]);
  });

  test('the embedded queue knows when the next message can be received', async () => {
    expect(queue.nextInMs()).toBeUndefined();
    await queue.send(['1']);
    expect(queue.nextInMs()).toBe(0);
    const [delivery] = await queue.receive(1);
    // A message in flight cannot be received before its visibility timeout.
    expect(queue.nextInMs()).toBe(60_000);
    await queue.release([delivery?.receipt ?? ''], 30);
    expect(queue.nextInMs()).toBe(30_000);
    elapsed.advance(5_000);
    expect(queue.nextInMs()).toBe(25_000);
    await queue.send(['2']);
    elapsed.advance(1_000);
    expect(queue.nextInMs()).toBe(0);
  });

  const hour = 60 * 60 * 1_000;
  describe.each([
    ['back by an hour', -hour],
    ['forward by an hour', hour],
    ['back by 40 days', -40 * 24 * hour],
    ['forward by 40 days', 40 * 24 * hour],
  ])('when the system clock is set %s', (_change, change) => {
    /** Opens the queue as the next process does. Its monotonic clock starts again. */
    const restarted = () => new SqliteQueue(commits, 'one', { now: clock, elapsed: newClock(5) });

    test('a clock change does not affect messages sent before or after it: they are delivered at once in order', async () => {
      await queue.send(['1', '2']);
      clock.advance(change);
      await queue.send(['3']);
      expect(queue.nextInMs()).toBe(0);
      expect(await bodies(10)).toEqual(['1', '2', '3']);
    });

    test('a clock change does not affect a released message: it is delivered after its delay, and no earlier', async () => {
      await queue.send(['1']);
      const [delivery] = await queue.receive(1);
      await queue.release([delivery?.receipt ?? ''], 4);
      clock.advance(change);
      expect(queue.nextInMs()).toBe(4_000);
      elapsed.advance(3_999);
      expect(await bodies(10)).toEqual([]);
      elapsed.advance(1);
      expect(await bodies(10)).toEqual(['1']);
    });

    test('a clock change does not affect a message in flight: it is redelivered after the visibility timeout, and no earlier', async () => {
      await queue.send(['1']);
      await queue.receive(1);
      clock.advance(change);
      elapsed.advance(59_999);
      expect(await bodies(10)).toEqual([]);
      expect(queue.nextInMs()).toBe(1);
      elapsed.advance(1);
      expect(await bodies(10)).toEqual(['1']);
    });

    test('after a restart with a changed clock, all waiting, in-flight and released messages are delivered at once', async () => {
      elapsed.advance(hour);
      await queue.send(['in flight', 'released', 'waiting']);
      const [, delivery] = await queue.receive(2);
      await queue.release([delivery?.receipt ?? ''], 60);
      clock.advance(change);
      queue = restarted();
      await queue.send(['new']);
      expect(queue.nextInMs()).toBe(0);
      expect(await bodies(10)).toEqual(['in flight', 'waiting', 'released', 'new']);
    });

    test('messages that an earlier version stored with the time of the changed clock are delivered at once', async () => {
      const insert = file.database.raw.prepare(
        "INSERT INTO queue_messages (queue, visible_at, body) VALUES ('one', ?, ?)",
      );
      insert.run(clock() - 1, '1');
      clock.advance(change);
      insert.run(clock(), '2');
      clock.advance(-change);
      queue = restarted();
      await queue.send(['new']);
      expect(queue.nextInMs()).toBe(0);
      expect((await bodies(10)).toSorted()).toEqual(['1', '2', 'new']);
    });
  });
});
