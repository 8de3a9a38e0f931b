import { beforeEach, expect, test, vi } from 'vitest';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import { SqsQueue } from '../../lib/queue/sqs/sqs-queue.ts';
import { SimulatedTable } from '../simulation/dynamodb.ts';
import type { Caller } from '../simulation/process.ts';
import { SimulatedQueue, sqsClient } from '../simulation/sqs.ts';
import { numbers } from '../support/histories/writes.ts';

const noFaults = { chance: () => false, duplicates: 0 };

/** Returns a caller whose calls succeed after `ms` milliseconds. */
const takes = (ms: number): Caller => ({
  task: 'test',
  call: async (_part, effect) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return await effect();
  },
});

function openQueue(caller: Caller) {
  const [store, dead] = [new SimulatedQueue(noFaults), new SimulatedQueue(noFaults)];
  return { store, dead, queue: new SqsQueue(sqsClient(caller, { store, dead }, noFaults), 'store', 'dead') };
}

/** Returns the outcome of the work and how many milliseconds of the simulated time it took. */
async function timed<Outcome>(work: Promise<Outcome>): Promise<{ outcome: Outcome; ms: number }> {
  const began = Date.now();
  let ms = 0;
  const ended = work.finally(() => {
    ms = Date.now() - began;
  });
  // An early failure must not be reported as unhandled before the clock has advanced.
  ended.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(900_000);
  return { outcome: await ended, ms };
}

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

test('a large request takes no longer to send, or to park while SQS does not respond, than a small one', async () => {
  // As many as a body of 1 MiB may become, because a record escapes a character of two bytes with six.
  const records = numbers(1, 9).map((i) => `${i}${'x'.repeat(349_000)}`);
  const { queue, store } = openQueue(takes(100));
  expect((await timed(queue.send(records))).ms).toBe(100);
  expect(store.messages.size).toBe(9);

  const table = new SimulatedTable();
  const slow = takes(6_200);
  const silent: Caller = {
    task: 'test',
    call: (part, _effect, ...more) => slow.call(part, () => Promise.reject(new Error('No response')), ...more),
  };
  const parked = new ParkedWrites(new DynamodbTable(table.client(takes(10)), 'ledger'), openQueue(silent).queue);
  const { ms } = await timed(parked.sendOrPark(records, 1));
  expect(table.itemsIn('parked/')).toHaveLength(9);
  // A function that writes has 10 s.
  expect(ms).toBeLessThan(8_000);
});

test('a listing lists each dead letter once, even if it takes longer than the queue hides messages', async () => {
  const { dead, queue } = openQueue(takes(500));
  for (const i of numbers(1, 800)) dead.send(`${i}`, 'bad');
  const { outcome } = await timed(queue.deadLetters(2_000));
  expect(outcome).toHaveLength(800);
  expect(new Set(outcome.map(({ body }) => body)).size).toBe(800);
});

test('a listing continues after SQS delivered only dead letters that are already listed', async () => {
  const { dead, queue } = openQueue({ task: 'test', call: async (_part, effect) => effect() });
  for (const i of numbers(1, 25)) dead.send(`${i}`, 'bad');
  const take = dead.take.bind(dead);
  const taken: ReturnType<typeof take>[] = [];
  dead.take = (max, ms) => {
    const some = taken.length === 1 ? (taken[0] ?? []) : take(max, ms);
    taken.push(some);
    return some;
  };
  expect(await queue.deadLetters(100)).toHaveLength(25);
});

test('a listing that takes so long that it may miss dead letters fails and leaves all of them visible', async () => {
  const { dead, queue } = openQueue(takes(70_000));
  for (const i of numbers(1, 200)) dead.send(`${i}`, 'bad');
  await expect(timed(queue.deadLetters(2_000))).rejects.toThrow('some may be missing');
  expect(dead.take(200, 0)).toHaveLength(200);
  expect((await timed(queue.deadLetters(50))).outcome).toHaveLength(50);
});

test('a redrive succeeds even if dead letters that failed again are visible at its end', async () => {
  const { store, dead, queue } = openQueue(takes(500));
  for (const i of numbers(1, 400)) dead.send(`${i}`);
  const redrive = async () => {
    let sent = 0;
    for await (const some of queue.redrive()) {
      if (sent === 0) for (const { body } of [...store.messages.values()]) dead.send(body);
      sent += some;
    }
    return sent;
  };
  expect((await timed(redrive())).outcome).toBe(400);
  expect(store.messages.size).toBe(400);
  expect(dead.messages.size).toBe(10);
});

test('a record whose release SQS refuses does not keep the others hidden', async () => {
  const { store, queue } = openQueue({ task: 'test', call: async (_part, effect) => effect() });
  for (const i of numbers(1, 25)) store.send(`${i}`);
  const receipts = (await Promise.all(numbers(1, 3).map(() => queue.receive(10)))).flat().map(({ receipt }) => receipt);
  await queue.release(receipts.slice(0, 1), 0);
  await expect(queue.release(receipts, 1)).rejects.toThrow('SQS refused to release 1 messages');
  vi.advanceTimersByTime(1_000);
  expect(store.take(100, 1_000)).toHaveLength(25);
});
