import { expect, test } from 'vitest';
import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { newItem } from '../../lib/ledger/dynamodb/items.ts';
import { chatKey } from '../../lib/ledger/dynamodb/keys.ts';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import {
  earlierReservation,
  maxReservations,
  newReservation,
  reservationsKept,
} from '../../lib/ledger/dynamodb/reservations.ts';
import { DynamodbTable, type Item, number, text } from '../../lib/ledger/dynamodb/table.ts';
import { limits } from '../../lib/limits.ts';
import { Unavailable } from '../../lib/model/errors.ts';
import { decodeWrites } from '../../lib/queue/records.ts';
import { SimulatedTable } from '../simulation/dynamodb.ts';
import { sizeOf } from '../simulation/dynamodb-limits.ts';
import type { Caller } from '../simulation/process.ts';
import { newClock } from '../support/basics/clock.ts';
import { refusal } from '../support/faults/refusal.ts';
import { chatNamed, contents, numbers } from '../support/histories/writes.ts';

const hour = 60 * 60 * 1_000;

/**
 * Returns a caller whose fourth call, the take of a number, ends with `ending`. The first three put the key, and read
 * the chat's item and the application's.
 */
const interrupted = (ending: (effect: () => unknown) => Promise<never>): Caller => {
  let calls = 0;
  return { task: 'test', call: async (_part, effect) => (++calls === 4 ? await ending(effect) : await effect()) };
};
const never = () => new Promise<never>(() => undefined);

const wellCaller: Caller = { task: 'test', call: async (_part, effect) => effect() };

class RecordingNothing extends DynamodbTable {
  override async insert(): Promise<never> {
    throw new Unavailable(new Error('The item is unavailable'));
  }
}

/** Opens a chat whose item has the reservations. `create` returns the number of the message. */
async function openChat({ reservations = {} }: { reservations?: Item } = {}) {
  const clock = newClock();
  const simulated = new SimulatedTable(clock);
  const sent: number[] = [];
  const outbox = {
    send: async (bodies: string[]) => {
      for (const write of bodies.flatMap((body) => decodeWrites(body)))
        if (write.kind === 'message') sent.push(write.number);
    },
  };
  const ledgerOf = (caller: Caller, Table = DynamodbTable) => {
    const table = new Table(simulated.client(caller), 'ledger');
    return new DynamodbLedger(table, new ParkedWrites(table, outbox), { now: clock });
  };
  const { token } = await ledgerOf(wellCaller).createApplication('an application');
  await ledgerOf(wellCaller).createChat(token, chatNamed(null));
  const { pk } = chatKey(token, 1);
  const item = () => simulated.itemsIn(pk).find((one) => one.pk?.S === pk && one.sk?.S === 'chat') as Item;
  simulated.put({ ...item(), messages: number(Object.keys(reservations).length), claims: { M: reservations } });
  const create = async (id?: string, caller = wellCaller, Table = DynamodbTable) => {
    clock.advance(10);
    const key = id === undefined ? undefined : { id, payload: 'payload' };
    return (await ledgerOf(caller, Table).createMessages({ token, chat: 1 }, contents(['body']), { key })).first;
  };
  /** Makes a request that dies as soon as it has taken a number. Returns whether it took one. */
  const die = async (id: string, Table = DynamodbTable): Promise<boolean> => {
    const died = Promise.withResolvers<boolean>();
    const dying: Caller = {
      task: 'test',
      call: async (_part, effect) => {
        const before = item().messages?.N;
        const result = await effect();
        if (item().messages?.N === before) return result;
        died.resolve(true);
        return await never();
      },
    };
    create(id, dying, Table).then(
      () => died.reject(new Error('It should have died')),
      () => died.resolve(false),
    );
    return await died.promise;
  };
  return { clock, simulated, create, die, item, reservations: () => Object.keys(item().claims?.M ?? {}), sent };
}

/** Returns reservations of an earlier release, with the numbers from 1 on. */
const earlierReservations = (count: number, begun: number): Item =>
  Object.fromEntries(numbers(1, count).map((i) => [earlierReservation(`key ${i}`.padEnd(43, '.'), begun), number(i)]));

/** Returns the item of a key as an earlier release put it. */
const earlierKey = (id: string, begun: number): Item => ({
  pk: text(`key/${id}`),
  sk: text('key'),
  payload: text('payload'),
  candidate: text('candidate'),
  begun_at: number(begun),
  lease_until: number(begun + limits.idempotencyLeaseMs),
  expires: number(Math.ceil((begun + limits.idempotencyMs) / 1_000)),
});
const now = newClock()();

test('a chat keeps a few reservations, however many creates with a key it gets', async () => {
  const { create, reservations, simulated } = await openChat();
  for (const i of numbers(1, 100)) {
    expect(await create(`key ${i}`)).toBe(i);
    expect(reservations().length).toBeLessThanOrEqual(2 * reservationsKept + 1);
  }
  expect(simulated.invalid).toEqual([]);
});

test('a create with a key takes no more than four write units', async () => {
  const { create, simulated } = await openChat();
  for (const i of numbers(1, 30)) await create(`before ${i}`);
  const before = simulated.writeUnits.used;
  for (const i of numbers(1, 30)) await create(`key ${i}`);
  expect(simulated.writeUnits.used - before).toBe(4 * 30);
});

test('requests that die after they took a number do not fill the item of the chat, and a retry of each returns its first number', async () => {
  const { clock, create, die, item, simulated, sent } = await openChat();
  const died = numbers(1, 200).map((i) => `dead ${i}`);
  for (const id of died) expect(await die(id)).toBe(true);
  expect(sizeOf(item())).toBeLessThan(1_024);
  clock.advance(limits.idempotencyLeaseMs);
  for (const i of numbers(1, 200)) expect(await create(`dead ${i}`)).toBe(i);
  expect(sent).toEqual(numbers(1, 200));
  expect(Number(item().messages?.N)).toBe(200);
  expect(simulated.invalid).toEqual([]);
});

test('a chat with 3,000 expired reservations of an earlier release accepts creates, and each of them removes 100', async () => {
  const { create, reservations, simulated, clock } = await openChat({
    reservations: earlierReservations(3_000, now - 48 * hour),
  });
  for (const i of numbers(1, 29)) {
    expect(await create(`key ${i}`)).toBe(3_000 + i);
    expect(reservations().length).toBe(3_000 - 100 * i + i);
    clock.advance(1_000);
  }
  await create('last');
  expect(reservations().filter((name) => name.includes('/'))).toEqual([]);
  expect(simulated.invalid).toEqual([]);
});

test('unexpired reservations of an earlier release leave the item within seconds, and a retry still returns their numbers', async () => {
  const begun = now - 2 * hour;
  const { create, reservations, simulated, clock } = await openChat({
    reservations: earlierReservations(1_000, begun),
  });
  for (const i of numbers(1, 1_000)) simulated.put(earlierKey(`key ${i}`.padEnd(43, '.'), begun));
  for (const i of numbers(1, 30)) {
    expect(await create(`another ${i}`)).toBe(1_000 + i);
    clock.advance(100);
  }
  expect(reservations().filter((name) => name.includes('/')).length).toBeLessThan(2 * reservationsKept);
  for (const i of numbers(1, 1_000)) expect(await create(`key ${i}`.padEnd(43, '.'))).toBe(i);
  expect(simulated.invalid).toEqual([]);
});

test('reservations of an earlier release stay for an hour, and do not prevent creates', async () => {
  const { create, reservations, clock } = await openChat({ reservations: earlierReservations(100, now - hour / 2) });
  for (const i of numbers(1, 50)) await create(`key ${i}`);
  expect(reservations().filter((name) => name.includes('/'))).toHaveLength(100);
  clock.advance(hour);
  for (const i of numbers(51, 70)) await create(`key ${i}`);
  expect(reservations().filter((name) => name.includes('/')).length).toBeLessThan(2 * reservationsKept);
});

test('a key of this release is in flight for functions of an earlier one, until it expires or has its response', async () => {
  const { clock, die, simulated } = await openChat();
  await die('dead');
  clock.advance(limits.idempotencyLeaseMs);
  const [key] = simulated.itemsIn('key/dead');
  expect(Number(key?.lease_until?.N)).toBeGreaterThan(clock());
  expect(key?.answer).toBeUndefined();
});

test('a create with a key is refused while the item is full of reservations that cannot be recorded, and takes no number', async () => {
  const { clock, create, die, item } = await openChat();
  const died = [];
  for (const i of numbers(1, 60)) died.push(await die(`dead ${i}`, RecordingNothing));
  const given = died.filter((tookOne) => tookOne).length;
  expect(given).toBe(maxReservations);
  expect(sizeOf(item())).toBeLessThan(1_024);
  expect(await refusal(create('next', wellCaller, RecordingNothing))).toBe('too_many_requests');
  expect(Number(item().messages?.N)).toBe(given);
  expect(await create()).toBe(given + 1);
  clock.advance(limits.idempotencyLeaseMs);
  expect(await create('next')).toBe(given + 2);
});

test('a chat with numbers of eight digits, a name of 50 bytes and all the reservations that it may have is one write unit', () => {
  const taken = number(99_999_999);
  const reservations = Object.fromEntries(numbers(1, maxReservations).map(() => [newReservation(), taken]));
  const chat = newItem(chatKey('x'.repeat(22), 12_345), 'x'.repeat(50), now);
  expect(sizeOf({ ...chat, messages: taken, claims: { M: reservations } })).toBeLessThanOrEqual(1_024);
});

test('a number that cannot be recorded is not used: the create gets a 503, and a retry completes it', async () => {
  const { create, sent } = await openChat();
  expect(await refusal(create('key', wellCaller, RecordingNothing))).toBe('unavailable');
  expect(sent).toEqual([]);
  expect(await create('between')).toBe(2);
  expect(await create('key')).toBe(1);
  expect(sent).toEqual([2, 1]);
});

test('a late update that takes a number is refused while the item has the reservation of its key', async () => {
  const { clock, create, item } = await openChat();
  let late = async (): Promise<unknown> => undefined;
  void create(
    'late',
    interrupted((effect) => {
      late = async () => effect();
      return never();
    }),
  );
  await new Promise(setImmediate);
  clock.advance(limits.idempotencyLeaseMs);
  expect(await create('late')).toBe(1);
  for (const i of numbers(2, reservationsKept)) await create(`key ${i}`);
  await expect(late()).rejects.toThrow();
  expect(item().messages).toEqual(number(reservationsKept));
});

test('a late update that takes a number after the reservation of its key was removed does not change the number of the key', async () => {
  const { clock, create, item, sent } = await openChat();
  const released = Promise.withResolvers<void>();
  const slow = create(
    'late',
    interrupted(async (effect) => {
      await released.promise;
      return (await effect()) as never;
    }),
  );
  await new Promise(setImmediate);
  clock.advance(limits.idempotencyLeaseMs);
  expect(await create('late')).toBe(1);
  for (const i of numbers(2, 60)) expect(await create(`key ${i}`)).toBe(i);
  // The first request lives on: it takes the number 61, finds number 1 recorded, and uses that.
  released.resolve();
  expect(await slow).toBe(1);
  expect(item().messages).toEqual(number(61));
  expect(sent).not.toContain(61);
});
