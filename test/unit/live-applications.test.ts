import { expect, test } from 'vitest';
import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import { SimulatedTable } from '../simulation/dynamodb.ts';
import type { Caller } from '../simulation/process.ts';
import { newClock } from '../support/basics/clock.ts';
import { refusal } from '../support/faults/refusal.ts';
import { chatNamed, contents } from '../support/histories/writes.ts';

const caller: Caller = { task: 'test', call: async (_part, effect) => effect() };

/** Opens an application with one chat. Each ledger that `functionInstance` returns has its own memory. */
async function openChat() {
  const clock = newClock();
  const simulated = new SimulatedTable(clock);
  const functionInstance = () => {
    const table = new DynamodbTable(simulated.client(caller), 'ledger');
    return new DynamodbLedger(table, new ParkedWrites(table, { send: async () => undefined }), clock);
  };
  const { token } = await functionInstance().createApplication('an application');
  await functionInstance().createChat(token, chatNamed(null));
  const create = (ledger: DynamodbLedger, id?: string) =>
    ledger.createMessages({ token, chat: 1 }, contents(['body']), {
      key: id === undefined ? undefined : { id, payload: 'payload' },
    });
  return { clock, simulated, functionInstance, token, create };
}

test('messages below a deleted application are refused within half a minute, although no purge has run', async () => {
  const { clock, functionInstance, token, create } = await openChat();
  const [busy, idle] = [functionInstance(), functionInstance()];
  await create(busy);
  await functionInstance().deleteApplication(token);
  expect(await refusal(create(idle))).toBe('application_not_found');
  expect(await refusal(create(idle, 'key'))).toBe('application_not_found');
  clock.advance(30_000);
  expect(await refusal(create(busy))).toBe('application_not_found');
  expect(await refusal(create(busy, 'key'))).toBe('application_not_found');
});

test('the application is read once in half a minute, however many messages are created in it', async () => {
  const { clock, simulated, functionInstance, create } = await openChat();
  const ledger = functionInstance();
  const before = simulated.readUnits.used;
  for (let i = 0; i < 100; i++) {
    await create(ledger);
    clock.advance(599);
  }
  expect(simulated.readUnits.used - before).toBe(1);
});
