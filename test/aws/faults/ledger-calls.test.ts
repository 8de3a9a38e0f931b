import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DynamodbLedger } from '../../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ParkedWrites } from '../../../lib/ledger/dynamodb/parked-writes.ts';
import type { IdempotencyKey } from '../../../lib/ledger/ledger.ts';
import { limits } from '../../../lib/limits.ts';
import { targetOf, type Write } from '../../../lib/model/write.ts';
import { newClock } from '../../support/basics/clock.ts';
import { refusal } from '../../support/faults/refusal.ts';
import { chatNamed, contents, numbers } from '../../support/histories/writes.ts';
import { type LedgerTable, openLedgerTable } from '../../support/servers/ledger-table.ts';
import { CallFaults, callFaults, type Planned } from './call-faults.ts';

// Tests each failure of each call of an operation. A run without failures records the calls.

/** Large enough to be sent as several records. */
const batch = numbers(1, 20).map((i) => `${i} ${'é'.repeat(4_000)}`);

interface Creation {
  counter?: 'chats' | 'messages';
  count: number;
  /** Returns the first number, or the token of an application. */
  create: (ledger: DynamodbLedger, token: string, key?: IdempotencyKey) => Promise<number | string>;
  /** The texts that it writes, in the order of numbers. */
  texts: string[];
}
const creations: Record<string, Creation> = {
  'creating an application': {
    count: 1,
    create: async (ledger, _token, key) => (await ledger.createApplication('created', { key })).token,
    texts: ['created'],
  },
  'creating a chat': {
    counter: 'chats',
    count: 1,
    create: async (ledger, token, key) => (await ledger.createChat(token, chatNamed('created'), { key })).number,
    texts: ['created'],
  },
  'creating a message': {
    counter: 'messages',
    count: 1,
    create: async (ledger, token, key) =>
      (await ledger.createMessages({ token, chat: 1 }, contents(['created']), { key })).first,
    texts: ['created'],
  },
  'creating a batch': {
    counter: 'messages',
    count: batch.length,
    create: async (ledger, token, key) =>
      (await ledger.createMessages({ token, chat: 1 }, contents(batch), { key })).first,
    texts: batch,
  },
};

type Edit = (ledger: DynamodbLedger, token: string, text: string) => Promise<unknown>;
const edits: Record<string, { edit: Edit; kind: Write['kind'] }> = {
  'editing an application': { kind: 'application', edit: (ledger, token, text) => ledger.editApplication(token, text) },
  'editing a chat': {
    kind: 'chat',
    edit: (ledger, token, text) => ledger.editChat({ token, chat: 1 }, { name: text }),
  },
  'editing a message': {
    kind: 'message',
    edit: (ledger, token, text) => ledger.editMessage({ token, chat: 1, number: 1 }, { body: text }),
  },
};
const deletions: Record<string, (ledger: DynamodbLedger, token: string) => Promise<void>> = {
  'deleting an application': (ledger, token) => ledger.deleteApplication(token),
  'deleting a chat': (ledger, token) => ledger.deleteChat({ token, chat: 1 }),
  'deleting a message': (ledger, token) => ledger.deleteMessage({ token, chat: 1, number: 1 }),
};

describe.each([
  ['works', false],
  ['is out', true],
])('while the store queue %s', (_what, queueIsOut) => {
  const clock = newClock();
  let opened: LedgerTable;
  let faults: CallFaults;
  let parked: ParkedWrites;
  let ledger: DynamodbLedger;
  beforeAll(async () => {
    opened = await openLedgerTable();
    faults = new CallFaults(opened.client, opened.sqs);
    parked = new ParkedWrites(opened.table, opened.queue);
    ledger = new DynamodbLedger(opened.table, parked, { now: clock });
  });
  afterAll(() => opened.remove());

  const textOf = (write: Write) =>
    write.kind === 'message' ? write.content.body : 'name' in write ? write.name : undefined;
  const revisionOf = (write: Write) => (write.kind === 'deletion' ? -1 : write.revision);
  /**
   * Returns everything written for the application after a sweep. Expects that no revision was written twice with
   * different content.
   */
  const written = async (token: string) => {
    faults.queueIsOut = false;
    faults.begin();
    await parked.sweep();
    const writes = (await opened.writes()).filter((write) => write.token === token);
    const distinct = new Map(writes.map((write) => [JSON.stringify(write), write]));
    const named = new Set(
      [...distinct.values()].map((write) =>
        JSON.stringify([write.kind, targetOf(write).chat, targetOf(write).number, revisionOf(write)]),
      ),
    );
    expect(named.size).toBe(distinct.size);
    return [...distinct.values()];
  };
  const prepare = async () => {
    faults.queueIsOut = false;
    faults.begin();
    const { token } = await ledger.createApplication('before');
    await ledger.createChat(token, chatNamed('before'));
    await ledger.createMessages({ token, chat: 1 }, contents(['before']));
    faults.queueIsOut = queueIsOut;
    return token;
  };
  /** Calls `check` once for each way in which the operation can fail. */
  const eachFault = async (
    operation: (token: string) => Promise<unknown>,
    check: (token: string, fail: () => void, name: string) => Promise<void>,
  ) => {
    const token = await prepare();
    faults.begin();
    await operation(token);
    const { calls } = faults;
    expect(calls.length).toBeGreaterThan(1);
    // Consecutive queries read the partitions of a sweep, so only the first is tested.
    const alike = (command: string, at: number) => command === 'Query' && calls[at - 1] === command;
    const plans = calls.flatMap((command, at) =>
      (alike(command, at) ? [] : callFaults)
        .filter((fault) => (command === 'SendMessageBatch' ? !queueIsOut : fault !== 'partly failed'))
        .flatMap((fault) =>
          (fault.startsWith('death') ? [false] : [false, true]).map((lasting): Planned => ({ at, fault, lasting })),
        ),
    );
    for (const plan of plans) {
      const name = `${plan.fault}${plan.lasting ? ' for good' : ''} at call ${plan.at + 1} of ${calls.join(', ')}`;
      await check(await prepare(), () => faults.begin(plan), name);
    }
  };
  const outcomeOf = (call: Promise<unknown>) => faults.outcomeOf(refusal(call));
  /** Ends the fault and the outage of the queue, and lets the lease of a dead request's key expire. */
  const heal = () => {
    faults.begin();
    faults.queueIsOut = false;
    clock.advance(limits.idempotencyLeaseMs);
  };
  const counterOf = async (token: string, { counter }: Creation) =>
    (await ledger.counters([counter === 'chats' ? { token } : { token, chat: 1 }]))[0] as number;

  test.each(Object.entries(creations))(
    '%s has exactly the reported effect after each failure of each call',
    async (_name, creation) => {
      await eachFault(
        (token) => creation.create(ledger, token),
        async (token, fail, name) => {
          fail();
          let answer: number | string | undefined;
          const outcome = await outcomeOf(
            creation.create(ledger, token).then((given) => {
              answer = given;
            }),
          );
          heal();
          expect(outcome, name).toBeOneOf(['accepted', 'too_many_requests', 'unavailable']);
          if (creation.counter === undefined) {
            if (outcome === 'accepted')
              expect((await written(String(answer))).map(textOf), name).toEqual(creation.texts);
            return;
          }
          const counter = await counterOf(token, creation);
          if (outcome === 'accepted') expect([answer, counter], name).toEqual([2, 1 + creation.count]);
          else expect(counter, name).toBeOneOf(outcome === 'unavailable' ? [1, 1 + creation.count] : [1]);
          // The next create gets the number after it.
          expect(await creation.create(ledger, token), name).toBe(counter + 1);
          const created = await given(token, creation);
          const second = new Map(creation.texts.map((text, i) => [counter + 1 + i, text]));
          const first = new Map(creation.texts.map((text, i) => [2 + i, text]));
          for (const [number, text] of second) expect(created.get(number), name).toBe(text);
          for (const number of second.keys()) created.delete(number);
          if (outcome === 'accepted') expect(created, name).toEqual(first);
          else if (outcome === 'too_many_requests') expect(created, name).toEqual(new Map());
          else for (const [number, text] of created) expect(first.get(number), name).toBe(text);
        },
      );
    },
  );

  /** Returns what was created after the preparation, by number. */
  const given = async (token: string, { counter }: Creation) =>
    new Map(
      (await written(token)).flatMap((write): [number, string | null | undefined][] => {
        const { chat, number } = targetOf(write);
        const own = counter === 'chats' ? (write.kind === 'chat' ? chat : undefined) : number;
        return own === undefined || own === 1 ? [] : [[own, textOf(write)]];
      }),
    );

  test.each(Object.entries(creations))(
    '%s with a key is completed under its first number after each failure of each call, and no number is void',
    async (_name, creation) => {
      const newKey = (): IdempotencyKey => ({ id: randomUUID(), payload: 'payload' });
      await eachFault(
        (token) => creation.create(ledger, token, newKey()),
        async (token, fail, name) => {
          const key = newKey();
          fail();
          let answer: number | string | undefined;
          const outcome = await outcomeOf(
            creation.create(ledger, token, key).then((given) => {
              answer = given;
            }),
          );
          heal();
          expect(outcome, name).toBeOneOf(['accepted', 'too_many_requests', 'unavailable']);
          const taken = creation.counter && (await counterOf(token, creation)) > 1;
          if (outcome === 'too_many_requests') expect(taken, name).toBeFalsy();
          // Another request takes the next number first.
          const other = await creation.create(ledger, token);
          const repeated = await creation.create(ledger, token, key);
          expect(await creation.create(ledger, token, key), name).toBe(repeated);
          if (outcome === 'accepted') expect(repeated, name).toBe(answer);
          if (creation.counter === undefined) {
            expect((await written(String(repeated))).map(textOf), name).toEqual(creation.texts);
            return;
          }
          expect([repeated, other], name).toEqual(taken ? [2, 2 + creation.count] : [2 + creation.count, 2]);
          expect(await counterOf(token, creation), name).toBe(1 + 2 * creation.count);
          const texts = [...creation.texts, ...creation.texts];
          expect(await given(token, creation), name).toEqual(new Map(texts.map((text, i) => [2 + i, text])));
        },
      );
    },
  );

  test.each(Object.entries(edits))(
    '%s has exactly the reported effect after each failure of each call',
    async (_name, { edit, kind }) => {
      await eachFault(
        (token) => edit(ledger, token, 'first'),
        async (token, fail, name) => {
          fail();
          const outcome = await outcomeOf(edit(ledger, token, 'first'));
          heal();
          expect(outcome, name).toBeOneOf(['accepted', 'too_many_requests', 'unavailable']);
          await edit(ledger, token, 'second');
          const texts = (await written(token))
            .filter((write) => write.kind === kind && revisionOf(write) > 0)
            .sort((a, b) => revisionOf(a) - revisionOf(b))
            .map(textOf);
          const both = ['first', 'second'];
          if (outcome === 'accepted') expect(texts, name).toEqual(both);
          else if (outcome === 'too_many_requests') expect(texts, name).toEqual(['second']);
          else expect([both, ['second']], name).toContainEqual(texts);
        },
      );
    },
  );

  test.each(Object.entries(deletions))(
    '%s has exactly the reported effect after each failure of each call',
    async (_name, remove) => {
      await eachFault(
        (token) => remove(ledger, token),
        async (token, fail, name) => {
          fail();
          const outcome = await outcomeOf(remove(ledger, token));
          heal();
          expect(outcome, name).toBeOneOf(['accepted', 'too_many_requests', 'unavailable']);
          const deletionsOf = async () => (await written(token)).filter(({ kind }) => kind === 'deletion').length;
          const before = await deletionsOf();
          if (outcome === 'accepted') expect(before, name).toBe(1);
          if (outcome === 'too_many_requests') expect(before, name).toBe(0);
          // A deletion that took effect is refused now and will be stored; one that did not is accepted now.
          expect((await refusal(remove(ledger, token))) === 'accepted', name).toBe(before === 0);
          expect(await deletionsOf(), name).toBe(1);
        },
      );
    },
  );

  // A sweep while the queue is out consists of one failing send, so it needs no test.
  const sweeps = queueIsOut ? [] : ['a sweep'];
  test.each(sweeps)('%s loses no write after any failure of any call', async () => {
    const parkSome = async (token: string) => {
      faults.queueIsOut = true;
      for (const text of ['one', 'two', 'three']) await ledger.editChat({ token, chat: 1 }, { name: text });
      faults.queueIsOut = false;
    };
    const sweepParked = async (token: string) => {
      await parkSome(token);
      faults.begin();
      await parked.sweep();
    };
    await eachFault(sweepParked, async (token, fail, name) => {
      await parkSome(token);
      fail();
      await faults.outcomeOf(parked.sweep().catch(() => undefined));
      heal();
      const texts = (await written(token)).filter((write) => write.kind === 'chat').map(textOf);
      expect(texts.sort(), name).toEqual(['before', 'one', 'three', 'two']);
    });
  });
});
