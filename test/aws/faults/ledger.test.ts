import { randomUUID } from 'node:crypto';
import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMessage } from '../../../functions/api/create-message.ts';
import { DynamodbLedger } from '../../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { chatKey } from '../../../lib/ledger/dynamodb/keys.ts';
import { ParkedWrites } from '../../../lib/ledger/dynamodb/parked-writes.ts';
import { newReservation } from '../../../lib/ledger/dynamodb/reservations.ts';
import { keyOf, number } from '../../../lib/ledger/dynamodb/table.ts';
import type { IdempotencyKey } from '../../../lib/ledger/ledger.ts';
import { limits } from '../../../lib/limits.ts';
import { NotSent, type Outbox } from '../../../lib/queue/queue.ts';
import { decodeWrites } from '../../../lib/queue/records.ts';
import { newClock } from '../../support/basics/clock.ts';
import { noAccess } from '../../support/client/access.ts';
import { answer, apiEvent } from '../../support/client/api-event.ts';
import { refusal } from '../../support/faults/refusal.ts';
import { chatNamed, contents, numbers } from '../../support/histories/writes.ts';
import { type LedgerTable, openLedgerTable } from '../../support/servers/ledger-table.ts';
import { injectFaults } from './aws-faults.ts';

/** More faults than a call has retries. */
const always = <Fault>(fault: Fault): Fault[] => numbers(1, 9).map(() => fault);

describe('the ledger in DynamoDB', () => {
  const clock = newClock();
  let opened: LedgerTable;
  let fail: ReturnType<typeof injectFaults>;
  let ledger: DynamodbLedger;
  let parked: ParkedWrites;
  /** Handles the next messages to the store queue. Unless a test replaces it, they are sent. */
  let sending: (bodies: string[]) => Promise<void>;
  let token: string;

  beforeEach(async () => {
    opened = await openLedgerTable();
    fail = injectFaults(opened.client);
    sending = (bodies) => opened.queue.send(bodies);
    const outbox: Outbox = { send: (bodies) => sending(bodies) };
    parked = new ParkedWrites(opened.table, outbox);
    ledger = new DynamodbLedger(opened.table, parked, { now: clock });
    token = (await ledger.createApplication('an application')).token;
    await ledger.createChat(token, chatNamed(null));
  });
  afterEach(() => opened.remove());

  const queueIsOut = () => {
    sending = async (bodies) => {
      throw new NotSent(bodies, new Error('SQS is out'));
    };
  };
  const queueIsBack = () => {
    sending = (bodies) => opened.queue.send(bodies);
  };
  const create = (body: string, key?: IdempotencyKey) =>
    ledger.createMessages({ token, chat: 1 }, contents([body]), { key });
  const counter = async () => (await ledger.counters([{ token, chat: 1 }]))[0];
  const sent = async () =>
    (await opened.writes()).flatMap((write) =>
      write.kind === 'message' ? [`${write.number}.${write.revision} ${write.content.body}`] : [],
    );
  const newKey = (): IdempotencyKey => ({ id: randomUUID(), payload: 'payload' });
  const reservations = async () => {
    const { Item } = await opened.client.send(
      new GetItemCommand({ TableName: opened.name, Key: keyOf(chatKey(token, 1)), ConsistentRead: true }),
    );
    return Object.keys(Item?.claims?.M ?? {});
  };

  describe('while the store queue is out', () => {
    test('while the store queue is out, every kind of write is accepted, and the sweeper sends each of them afterwards', async () => {
      queueIsOut();
      expect((await create('parked')).first).toBe(1);
      await ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'edited' });
      await ledger.editChat({ token, chat: 1 }, { name: 'renamed' });
      expect((await ledger.createChat(token, chatNamed('second'))).number).toBe(2);
      expect((await create('another')).first).toBe(2);
      await ledger.deleteMessage({ token, chat: 1, number: 2 });
      await ledger.deleteChat({ token, chat: 2 });
      await expect(parked.sweep()).rejects.toThrow(NotSent);
      expect(await sent()).toEqual([]);

      queueIsBack();
      expect(await parked.sweep()).toBe(7);
      expect((await sent()).sort()).toEqual(['1.0 parked', '1.1 edited', '2.0 another']);
      const writes = await opened.writes();
      expect(writes).toContainEqual(expect.objectContaining({ kind: 'chat', chat: 1, revision: 1, name: 'renamed' }));
      expect(writes).toContainEqual(expect.objectContaining({ kind: 'chat', chat: 2, revision: 0, name: 'second' }));
      expect(writes).toContainEqual(expect.objectContaining({ kind: 'deletion', chat: 1, number: 2 }));
      expect(writes.filter(({ kind }) => kind === 'deletion')).toHaveLength(2);
      expect(await parked.sweep()).toBe(0);
    });

    test('when a part of the largest batch cannot be sent, exactly that part is parked', async () => {
      const bodies = numbers(1, 1_000).map((i) => `${i} ${'é'.repeat(500)}`);
      sending = async (records) => {
        await opened.queue.send(records.slice(0, 2));
        throw new NotSent(records.slice(2), new Error('SQS is out'));
      };
      expect((await ledger.createMessages({ token, chat: 1 }, contents(bodies))).first).toBe(1);
      const before = (await sent()).length;
      expect(before).toBeGreaterThan(0);
      queueIsBack();
      await parked.sweep();
      expect(await sent()).toHaveLength(1_000);
    });

    test('a create gets a 503 only when parking fails too, and a retry with its key completes it', async () => {
      queueIsOut();
      fail('BatchWriteItem', ...always('refused' as const));
      const key = newKey();
      expect(await refusal(create('message', key))).toBe('unavailable');
      fail('BatchWriteItem');
      queueIsBack();
      expect((await create('message', key)).first).toBe(1);
      expect(await counter()).toBe(1);
      expect(await sent()).toEqual(['1.0 message']);
    });

    test('the parked records are listed, including many and large ones', async () => {
      const shown = async () => {
        const bodies: string[] = [];
        for await (const record of parked.records())
          for (const write of decodeWrites(record))
            if (write.kind === 'message') bodies.push(String(write.content.body));
        return bodies.sort();
      };
      expect(await shown()).toEqual([]);
      await create('sent');
      queueIsOut();
      const expected = numbers(1, 200).map((i) => `${i}`);
      for (const body of expected) await create(body);
      const large = numbers(1, 12).map((i) => `${i} ${'x'.repeat(9_990)}`);
      await ledger.createMessages({ token, chat: 1 }, contents([...large, ...large, ...large]));
      expect(await shown()).toEqual([...expected, ...large, ...large, ...large].sort());
      queueIsBack();
      await parked.sweep();
      expect(await shown()).toEqual([]);
    });

    test('a sweep stops when its time is over, and loses nothing', async () => {
      queueIsOut();
      for (const i of numbers(1, 12)) await create(`${i}`);
      queueIsBack();
      let steps = 0;
      const first = await parked.sweep(() => ++steps <= 4);
      expect(first + (await parked.sweep())).toBe(12);
      expect(await sent()).toHaveLength(12);
    });
  });

  describe('a counter', () => {
    test('a throttled update of a counter is retried', async () => {
      fail('UpdateItem', 'throttled', 'throttled');
      expect((await create('message')).first).toBe(1);
      expect(await counter()).toBe(1);
    });

    test('a counter that stays throttled results in a 429 and assigns no number', async () => {
      fail('UpdateItem', ...always('throttled' as const));
      expect(await refusal(create('message'))).toBe('too_many_requests');
      expect(await counter()).toBe(0);
      expect(await sent()).toEqual([]);
    });

    test('without a key, a lost response of a counter is not retried: the create gets a 503, and the number stays void', async () => {
      fail('UpdateItem', 'answer lost');
      expect(await refusal(create('lost'))).toBe('unavailable');
      expect(await counter()).toBe(1);
      expect((await create('next')).first).toBe(2);
      expect(await sent()).toEqual(['2.0 next']);
    });

    test('with a key, a lost response of a counter gives the same number to the next request', async () => {
      const key = newKey();
      fail('UpdateItem', 'answer lost');
      expect(await refusal(create('message', key))).toBe('unavailable');
      expect((await create('between')).first).toBe(2);
      expect((await create('message', key)).first).toBe(1);
      expect((await create('message', key)).first).toBe(1);
      expect(await counter()).toBe(2);
      expect((await sent()).sort()).toEqual(['1.0 message', '2.0 between']);
    });
  });

  describe('after the number is assigned', () => {
    test('a throttled create gets a 503 once its number is assigned', async () => {
      fail('PutItem', ...always('throttled' as const));
      expect(await refusal(ledger.createChat(token, chatNamed(null)))).toBe('unavailable');
      fail('PutItem');
      expect((await ledger.createChat(token, chatNamed(null))).number).toBe(3);
      queueIsOut();
      fail('BatchWriteItem', ...always('throttled' as const));
      expect(await refusal(create('message'))).toBe('unavailable');
      expect(await counter()).toBe(1);
    });

    test('a retry that is throttled does not prevent the next retry from finding its number', async () => {
      const key = newKey();
      fail('UpdateItem', 'answer lost');
      expect(await refusal(create('message', key))).toBe('unavailable');
      fail('BatchGetItem', ...always('throttled' as const));
      expect(await refusal(create('message', key))).toBe('too_many_requests');
      fail('BatchGetItem');
      clock.advance(limits.idempotencyLeaseMs);
      expect((await create('message', key)).first).toBe(1);
      expect(await counter()).toBe(1);
      expect(await sent()).toEqual(['1.0 message']);
    });

    test('a create whose response cannot be stored is accepted, and a retry returns its number', async () => {
      const key = newKey();
      fail('UpdateItem', 'well', ...always('refused' as const));
      const first = await create('message', key);
      fail('UpdateItem');
      clock.advance(limits.idempotencyLeaseMs);
      expect(await create('message', key)).toEqual(first);
      expect(await counter()).toBe(1);
    });
  });

  test('50 concurrent requests with one key create one message', async () => {
    const handler = createMessage({ ledger, access: noAccess });
    const event = () =>
      apiEvent('createMessage', { params: { token }, body: { body: 'once' }, headers: { 'Idempotency-Key': 'k' } });
    const answers = await Promise.all(numbers(1, 50).map(() => answer(handler, event())));
    const created = answers.filter(({ status }) => status === 201);
    expect(created.length).toBeGreaterThan(0);
    for (const { json } of created) expect(json).toMatchObject({ number: 1, body: 'once' });
    const others = answers.filter(({ status }) => status !== 201).map(({ json }) => json.code);
    expect(others.filter((code) => code !== 'idempotency_in_flight')).toEqual([]);
    expect((await answer(handler, event())).json).toMatchObject({ number: 1 });
    expect(await counter()).toBe(1);
    expect(await sent()).toEqual(['1.0 once']);
  });

  describe('a request with a key that dies after it took its number', () => {
    /** Makes a request that never returns from sending, like a function that was ended there. */
    const die = async (key: IdempotencyKey) => {
      const reached = Promise.withResolvers<void>();
      sending = () => {
        reached.resolve();
        return new Promise(() => undefined);
      };
      void create('message', key);
      await reached.promise;
      queueIsBack();
    };

    test('the key of a request that died after it took a number is in flight until the lease ends, and a retry then completes the create with that number and time', async () => {
      const key = newKey();
      const begun = clock();
      await die(key);
      clock.advance(limits.idempotencyLeaseMs - 1);
      expect(await refusal(create('message', key))).toBe('idempotency_in_flight');
      expect((await create('between')).first).toBe(2);
      clock.advance(1);
      const outcomes = await Promise.all(numbers(1, 5).map(() => refusal(create('message', key))));
      expect(outcomes.filter((outcome) => outcome === 'accepted').length).toBeGreaterThan(0);
      expect(outcomes.filter((one) => one !== 'accepted' && one !== 'idempotency_in_flight')).toEqual([]);
      expect(await create('message', key)).toEqual({ first: 1, at: begun });
      expect(await counter()).toBe(2);
      expect((await sent()).sort()).toEqual(['1.0 message', '2.0 between']);
    });

    test.each([
      ['50 requests that died now', 50, 0, 30],
      ['150 requests that died yesterday', 150, 2 * limits.idempotencyMs, 51],
    ])('a create succeeds despite the reservations of %s, and removes some', async (_who, count, age, left) => {
      const names = numbers(1, count).map((i) => (age > 0 ? `${clock() - age}/${i}` : newReservation()));
      await opened.client.send(
        new UpdateItemCommand({
          TableName: opened.name,
          Key: keyOf(chatKey(token, 1)),
          UpdateExpression: 'SET claims = :claims, messages = :count',
          ExpressionAttributeValues: {
            ':claims': { M: Object.fromEntries(names.map((name, i) => [name, number(i + 1)])) },
            ':count': number(count),
          },
        }),
      );
      expect((await create('message', newKey())).first).toBe(count + 1);
      expect(await reservations()).toHaveLength(left);
    });
  });

  describe('a deletion', () => {
    test('a deletion whose response is lost is retried, and accepted once', async () => {
      await create('message');
      fail('TransactWriteItems', 'answer lost');
      await ledger.deleteMessage({ token, chat: 1, number: 1 });
      expect(await refusal(ledger.deleteMessage({ token, chat: 1, number: 1 }))).toBe('message_not_found');
      expect((await opened.writes()).filter(({ kind }) => kind === 'deletion')).toHaveLength(1);
    });

    test('a deletion that may have been marked gets a 503, even if its retries are throttled', async () => {
      await create('message');
      fail('TransactWriteItems', 'answer lost', 'throttled', 'throttled');
      expect(await refusal(ledger.deleteMessage({ token, chat: 1, number: 1 }))).toBe('unavailable');
      expect(await refusal(ledger.deleteMessage({ token, chat: 1, number: 1 }))).toBe('message_not_found');
    });

    test('a deletion that could not be sent or unparked is sent by the sweeper', async () => {
      await create('message');
      fail('BatchWriteItem', ...always('refused' as const));
      await ledger.deleteMessage({ token, chat: 1, number: 1 });
      fail('BatchWriteItem');
      expect(await parked.sweep()).toBe(1);
      expect((await opened.writes()).filter(({ kind }) => kind === 'deletion')).toHaveLength(2);
    });
  });

  test('reads are retried, and are unavailable when the retries fail', async () => {
    const tokens = async () => {
      for await (const each of ledger.tokens()) if (each === token) return 'listed';
      return 'not listed';
    };
    fail('Scan', 'refused', 'answer lost');
    expect(await tokens()).toBe('listed');
    fail('Scan', ...always('refused' as const));
    expect(await refusal(tokens())).toBe('unavailable');
    fail('BatchGetItem', 'refused', 'answer lost');
    expect(await ledger.application(token)).toMatchObject({ name: 'an application' });
    fail('BatchGetItem', ...always('refused' as const));
    expect(await refusal(ledger.application(token))).toBe('unavailable');
  });
});
