import { expect, test } from 'vitest';
import { Access } from '../../lib/access/access.ts';
import { AccessTokens } from '../../lib/access/access-tokens.ts';
import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import { limits } from '../../lib/limits.ts';
import { fixedSecret } from '../../lib/system-secret.ts';
import { SimulatedTable } from '../simulation/dynamodb.ts';
import { newClock } from '../support/basics/clock.ts';
import { countingCaller } from '../support/basics/counting-caller.ts';
import { refusal } from '../support/faults/refusal.ts';
import { chatNamed, contents } from '../support/histories/writes.ts';

const caller = countingCaller();

/** Opens an application with one chat. Each ledger that `functionInstance` returns has its own memory. */
async function openChat() {
  const clock = newClock();
  const simulated = new SimulatedTable(clock);
  const functionInstance = () => {
    const table = new DynamodbTable(simulated.client(caller), 'ledger');
    return new DynamodbLedger(table, new ParkedWrites(table, { send: async () => undefined }), { now: clock });
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

test('one read serves an access token and the create with it, on a cold function and on a warm one', async () => {
  const { clock, simulated, functionInstance, token, create } = await openChat();
  const secret = fixedSecret('s'.repeat(43));
  const open = () => {
    const ledger = functionInstance();
    const access = new Access({
      tokens: new AccessTokens(secret),
      ledger,
      keptMs: limits.accessToken.keptMs,
      now: clock,
    });
    return { ledger, access };
  };
  const { accessToken } = await open().access.grant(token, { sender: 'ada', chats: null, can: ['create'] }, 3_600);
  const { ledger, access } = open();
  const callsBefore = caller.calls;
  const unitsBefore = simulated.readUnits.used;
  for (let i = 0; i < 100; i++) {
    expect(await access.callerOf(accessToken)).toMatchObject({ token });
    // The create comes some time after the access token was checked.
    clock.advance(99);
    await create(ledger);
    clock.advance(500);
  }
  // Reads at 0, 25 and 50 of 60 s, and no other call but the updates that take the numbers.
  expect(simulated.readUnits.used - unitsBefore).toBe(3);
  expect(caller.calls - callsBefore).toBe(100 + 3);
  await functionInstance().deleteApplication(token);
  clock.advance(limits.existingApplicationMs);
  expect(await refusal(create(ledger))).toBe('application_not_found');
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
