import { beforeEach, expect, test, vi } from 'vitest';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import { NotSent } from '../../lib/queue/queue.ts';
import { SqsOutbox } from '../../lib/queue/sqs/sqs-queue.ts';
import { SimulatedTable } from '../simulation/dynamodb.ts';
import type { Caller } from '../simulation/process.ts';
import { SimulatedQueue, sqsClient } from '../simulation/sqs.ts';

/** How long each call of DynamoDB and SQS takes, in milliseconds. */
const callMs = 10;
const noFaults = { chance: () => false, duplicates: 0 };

/** A process whose calls all succeed after `callMs`. */
const caller: Caller = {
  task: 'sweep',
  call: async (_part, effect) => {
    await new Promise((resolve) => setTimeout(resolve, callMs));
    return await effect();
  },
};

let table: SimulatedTable;
let queue: SimulatedQueue;
let parked: ParkedWrites;
beforeEach(() => {
  table = new SimulatedTable();
  queue = new SimulatedQueue(noFaults);
  const outbox = new SqsOutbox(sqsClient(caller, { store: queue }, noFaults), 'store');
  parked = new ParkedWrites(new DynamodbTable(table.client(caller), 'ledger'), outbox);
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

/** Parks records as an outage of SQS leaves them. */
function park(records: number): void {
  for (let i = 0; i < records; i++) table.put(parked.itemOf(`record ${i}`, 1));
}

const bodies = () => [...queue.messages.values()].map(({ body }) => body);

test('a sweep sends at least 5,000 records a second when each call takes 10 ms', async () => {
  const records = 10_000;
  park(records);
  const started = Date.now();
  const sweep = parked.sweep();
  let seconds = 0;
  void sweep.then(() => {
    seconds = (Date.now() - started) / 1_000;
  });
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await sweep).toBe(records);
  expect(new Set(bodies()).size).toBe(records);
  expect(table.itemsIn('parked/')).toEqual([]);
  expect(records / seconds).toBeGreaterThan(5_000);
});

test('a record that the queue refuses does not keep the sweep from sending the records of other partitions', async () => {
  park(100);
  const refused = { ...parked.itemOf('refused', 0) };
  table.put(refused);
  const outbox = {
    send: async (some: string[]) => {
      if (some.includes('refused')) throw new NotSent(some, new Error('refused'));
      for (const body of some) queue.send(body);
    },
  };
  const sweep = new ParkedWrites(new DynamodbTable(table.client(caller), 'ledger'), outbox).sweep();
  const outcome = expect(sweep).rejects.toThrow(NotSent);
  await vi.advanceTimersByTimeAsync(30_000);
  await outcome;
  const partition = refused.pk?.S as string;
  expect(table.itemsIn('parked/').every(({ pk }) => pk?.S === partition)).toBe(true);
  expect(bodies().length).toBeGreaterThan(50);
});
