import { BatchGetItemCommand, BatchWriteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { beforeEach, expect, test, vi } from 'vitest';
import { DynamodbTable, text } from '../../lib/ledger/dynamodb/table.ts';
import { SimulatedTable } from '../simulation/dynamodb.ts';
import { numbers } from '../support/histories/writes.ts';

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

/** Opens a table that processes only the first item of each batch, as one that is throttled does. */
function openThrottled() {
  const simulated = new SimulatedTable();
  const client = simulated.client({ task: 'test', call: async (_part, effect) => effect() });
  const calls: number[] = [];
  const send = async (command: unknown) => {
    calls.push(performance.now());
    if (command instanceof BatchWriteItemCommand) {
      const [first, ...rest] = command.input.RequestItems?.ledger ?? [];
      await client.send(new BatchWriteItemCommand({ RequestItems: { ledger: first ? [first] : [] } }));
      return { UnprocessedItems: { ledger: rest } };
    }
    const { Keys: [first, ...rest] = [] } = (command as BatchGetItemCommand).input.RequestItems?.ledger ?? {};
    const RequestItems = { ledger: { Keys: first ? [first] : [] } };
    const { Responses } = await client.send(new BatchGetItemCommand({ RequestItems }));
    return { Responses, UnprocessedKeys: rest.length > 0 ? { ledger: { Keys: rest } } : {} };
  };
  return { table: new DynamodbTable({ send } as unknown as DynamoDBClient, 'ledger'), calls };
}

const keys = numbers(1, 4).map((i) => ({ pk: 'partition', sk: `item ${i}` }));
const items = keys.map(({ pk, sk }) => ({ pk: text(pk), sk: text(sk) }));

/** Returns the milliseconds between one call and the next. */
const waits = (calls: number[]) => calls.slice(1).map((at, i) => at - (calls[i] as number));

test('a batch of which DynamoDB leaves items unprocessed is repeated after a wait, until all are processed', async () => {
  const { table, calls } = openThrottled();
  for (const work of [() => table.write(items), () => table.get(keys), () => table.write([], keys)]) {
    calls.length = 0;
    const done = work();
    await vi.advanceTimersByTimeAsync(10_000);
    await done;
    expect(calls).toHaveLength(keys.length);
    expect(Math.min(...waits(calls))).toBeGreaterThan(20);
  }
});

test('tryGet makes only one call, and returns undefined when DynamoDB returns only some of the items', async () => {
  const { table, calls } = openThrottled();
  expect(await table.tryGet(keys)).toBeUndefined();
  expect(calls).toHaveLength(1);
});
