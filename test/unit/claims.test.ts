import { expect, test } from 'vitest';
import { DynamodbLedger } from '../../lib/ledger/dynamodb.ts';
import { chatKey } from '../../lib/ledger/dynamodb-keys.ts';
import { DynamodbTable, type Item, number, text } from '../../lib/ledger/dynamodb-table.ts';
import { ParkedWrites } from '../../lib/ledger/parked-writes.ts';
import { limits } from '../../lib/limits.ts';
import { SimulatedTable } from '../simulation/dynamodb.ts';
import type { Caller } from '../simulation/process.ts';
import { newClock } from '../support/clock.ts';
import { refusal } from '../support/refusal.ts';
import { numbers } from '../support/writes.ts';

const caller: Caller = { task: 'test', call: async (_part, effect) => effect() };
const outbox = { send: async () => undefined };

/** A chat, and the claims that functions of the release before left in its item. */
async function openChat({ claims = {} }: { claims?: Item } = {}) {
  const clock = newClock();
  const simulated = new SimulatedTable();
  const failedUpkeep: unknown[] = [];
  const ledgerOver = (through: Caller) => {
    const table = new DynamodbTable(simulated.client(through), 'ledger');
    return new DynamodbLedger(table, new ParkedWrites(table, outbox), clock, (error) => failedUpkeep.push(error));
  };
  const ledger = ledgerOver(caller);
  const { token } = await ledger.createApplication('an application');
  await ledger.createChat(token, null);
  const { pk } = chatKey(token, 1);
  const item = () => simulated.itemsIn(pk).find(({ sk }) => sk?.S === 'chat') as Item;
  simulated.put({ ...item(), messages: number(Object.keys(claims).length), claims: { M: claims } });
  const create = async (id?: string, through = ledger) =>
    (await through.createMessages(token, 1, ['body'], id === undefined ? undefined : { id, payload: 'payload' })).first;
  const oldClaims = () => Object.keys(item().claims?.M ?? {}).length;
  return { clock, simulated, failedUpkeep, ledgerOver, create, item, oldClaims };
}

const expired = (count: number, at: number): Item =>
  Object.fromEntries(numbers(1, count).map((i) => [`${at}/${String(i).padEnd(43, '.')}`, number(i)]));
const twoDaysBefore = newClock()() - 2 * limits.idempotencyMs;

test('a chat with 1,000 expired claims accepts creates and loses 200 of the claims at each', async () => {
  const { create, oldClaims, simulated } = await openChat({ claims: expired(1_000, twoDaysBefore) });
  expect(await create('first')).toBe(1_001);
  expect(oldClaims()).toBe(800);
  expect(await create()).toBe(1_002);
  expect(oldClaims()).toBe(600);
  expect(simulated.invalid).toEqual([]);
});

test('a create is accepted when old claims cannot be removed, and the failure is reported', async () => {
  const { create, ledgerOver, oldClaims, failedUpkeep } = await openChat({ claims: expired(10, twoDaysBefore) });
  let calls = 0;
  const failing = ledgerOver({
    task: 'test',
    call: async (_part, effect, failure) => {
      calls++;
      if (calls === 2) throw failure('lost');
      return effect();
    },
  });
  expect(await create(undefined, failing)).toBe(11);
  expect(failedUpkeep).toHaveLength(1);
  expect(oldClaims()).toBe(10);
});

test('a request that died in the release before is completed under the number it claimed', async () => {
  const { clock, create, simulated, item } = await openChat();
  const begun = clock();
  simulated.put({
    pk: text('key/old'),
    sk: text('key'),
    payload: text('payload'),
    candidate: text('candidate'),
    begun_at: number(begun),
    lease_until: number(begun + limits.idempotencyLeaseMs),
    expires: number(Math.ceil((begun + limits.idempotencyMs) / 1_000)),
  });
  simulated.put({ ...item(), messages: number(7), claims: { M: { [`${begun}/old`]: number(7) } } });
  expect(await refusal(create('old'))).toBe('idempotency_in_flight');
  clock.advance(limits.idempotencyLeaseMs);
  expect(await create('old')).toBe(7);
  expect(await create('new')).toBe(8);
});

test('for functions of the release before a key is in flight until it expires or is answered', async () => {
  const { clock, create, ledgerOver, simulated } = await openChat();
  let calls = 0;
  const dying: Caller = {
    task: 'test',
    call: async (_part, effect) => (++calls > 2 ? new Promise(() => undefined) : effect()),
  };
  void create('dead', ledgerOver(dying));
  await new Promise(setImmediate);
  clock.advance(limits.idempotencyLeaseMs);
  const [key] = simulated.itemsIn('key/dead');
  expect(Number(key?.lease_until?.N)).toBeGreaterThan(clock());
  expect(await create('dead')).toBe(1);
});

test('the item holds the claims of four takes, whatever number of keyed requests died', async () => {
  const { clock, create, item, ledgerOver } = await openChat();
  for (const i of numbers(1, 50)) {
    let calls = 0;
    // Behind the take, before its number is on record.
    const dying: Caller = {
      task: 'test',
      call: async (_part, effect) => (++calls > 2 ? new Promise(() => undefined) : effect()),
    };
    void create(`dead ${i}`, ledgerOver(dying));
    await new Promise(setImmediate);
    if (i % 3 === 0) await create(`live ${i}`);
  }
  expect(Object.keys(item()).filter((name) => name.startsWith('claim'))).toHaveLength(4 + 4 + 1);
  clock.advance(limits.idempotencyLeaseMs);
  // Of each three that died, the next live request put the numbers on record.
  const first = await Promise.all(numbers(1, 50).map((i) => create(`dead ${i}`)));
  expect(first).toEqual(numbers(1, 50).map((i) => i + Math.floor((i - 1) / 3)));
});

test('a take that arrives after its key was taken over is refused', async () => {
  const { clock, create, ledgerOver, item } = await openChat();
  let late = async (): Promise<unknown> => undefined;
  let calls = 0;
  const delayed: Caller = {
    task: 'test',
    call: async (_part, effect) => {
      if (++calls < 2) return effect();
      late = async () => effect();
      return new Promise(() => undefined);
    },
  };
  void create('late', ledgerOver(delayed));
  await new Promise(setImmediate);
  clock.advance(limits.idempotencyLeaseMs);
  expect(await create('late')).toBe(1);
  for (const i of numbers(1, 8)) await create(`other ${i}`);
  await expect(late()).rejects.toThrow();
  expect(item().messages).toEqual(number(9));
});
