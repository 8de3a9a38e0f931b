import { expect, test } from 'vitest';
import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { newItem } from '../../lib/ledger/dynamodb/items.ts';
import { chatKey } from '../../lib/ledger/dynamodb/keys.ts';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { DynamodbTable, number } from '../../lib/ledger/dynamodb/table.ts';
import { limits } from '../../lib/limits.ts';
import { NotFound } from '../../lib/model/errors.ts';
import { SimulatedTable } from '../simulation/dynamodb.ts';
import { newClock } from '../support/basics/clock.ts';
import { countingCaller } from '../support/basics/counting-caller.ts';
import { chatNamed, contents, numbers } from '../support/histories/writes.ts';

test('a create of a chat that reaches DynamoDB after the purge of its application does not bring the chat back', async () => {
  const clock = newClock();
  const table = new DynamodbTable(
    new SimulatedTable(clock).client({ task: 'test', call: async (_part, effect) => effect() }),
    'ledger',
  );
  const ledger = new DynamodbLedger(table, new ParkedWrites(table, { send: async () => undefined }), { now: clock });
  const { token } = await ledger.createApplication('an application');
  await ledger.createChat(token, { name: null, metadata: null });
  await ledger.createMessages({ token, chat: 1 }, contents(['a message']));
  await ledger.deleteApplication(token);
  while ((await ledger.purge({ token }, 10)) > 0);

  // An attempt of createChat that timed out.
  await table.insert({ ...newItem(chatKey(token, 1), null, clock()), messages: number(0) });
  await expect(ledger.createMessages({ token, chat: 1 }, contents(['number 1 again']))).rejects.toThrow(NotFound);
});

test('a step of the purge of a large application ends within the 5 s that the function keeps for it', async () => {
  const caller = countingCaller();
  const client = new SimulatedTable().client(caller);
  const table = new DynamodbTable(client, 'ledger');
  const ledger = new DynamodbLedger(table, new ParkedWrites(table, { send: async () => undefined }), {
    now: newClock(),
  });
  const { token } = await ledger.createApplication('large');
  for (const _ of numbers(1, 250)) await ledger.createChat(token, chatNamed(null));
  await ledger.deleteApplication(token);
  let steps = 0;
  for (let removed = 1; removed > 0; steps++) {
    const callsBefore = caller.calls;
    removed = await ledger.purge({ token }, limits.purgeRows);
    // At 10 ms a call, 4 s.
    expect(caller.calls - callsBefore).toBeLessThan(400);
  }
  expect(steps).toBe(4);
});
