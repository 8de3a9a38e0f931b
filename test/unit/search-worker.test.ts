import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import { searchWorker } from '../../functions/workers/search.ts';
import { storeWorker } from '../../functions/workers/store.ts';
import { encodeChanges, encodeWrites } from '../../lib/queue/records.ts';
import { deliveries, history, stateOf } from '../support/histories/histories.ts';
import { deletionWrite, messageWrite, messageWrites, numbers } from '../support/histories/writes.ts';
import { deliver } from '../support/servers/batch.ts';
import { openWorkerServices, type TestServices } from '../support/servers/worker-services.ts';

setLogLevel('silent');

describe('the search worker', () => {
  let opened: TestServices;
  beforeEach(async () => {
    opened = await openWorkerServices();
  });
  afterEach(() => opened.file.remove());

  const work = (...records: string[]) => deliver(searchWorker(opened.services), ...records);
  const changes = (...numbers: number[]) => encodeChanges(numbers.map((number) => ({ token: 't', chat: 1, number })));
  const found = async (q: string, token = 't') =>
    (await opened.services.searchIndex.search({ token, q, limit: 100 })).matches
      .map(({ content }) => content.body)
      .sort();

  test('the search worker indexes messages as they are in the store, whatever happened since the record was sent', async () => {
    const { store } = opened.services;
    await store.merge([messageWrite('t', 1, 1, { body: 'first' }), messageWrite('t', 1, 2, { body: 'second' })]);
    await store.merge([messageWrite('t', 1, 1, { revision: 1, body: 'edited' })]);
    expect(await work(changes(1, 2), changes(1), changes(2))).toEqual([]);
    expect(await found('first')).toEqual([]);
    expect(await found('d')).toEqual(['edited', 'second']);
  });

  test('the search worker indexes an edit of an indexed message', async () => {
    const { store } = opened.services;
    await store.merge([messageWrite('t', 1, 1, { body: 'first' })]);
    await work(changes(1));
    await store.merge([messageWrite('t', 1, 1, { revision: 1, body: 'edited' })]);
    await work(changes(1));
    expect([await found('first'), await found('edited')]).toEqual([[], ['edited']]);
  });

  test('the search worker removes deleted messages, and indexes an edit only when its message has arrived', async () => {
    const { store } = opened.services;
    await store.merge([messageWrite('t', 1, 1), messageWrite('t', 1, 2, { revision: 1 })]);
    await work(changes(1, 2));
    expect(await found('message')).toEqual(['message 1/1, revision 0']);
    await store.merge([deletionWrite('t', 1, 1), messageWrite('t', 1, 2)]);
    await work(changes(1, 2));
    expect(await found('message')).toEqual(['message 1/2, revision 1']);
  });

  test('the search worker leaves out messages that the store does not have', async () => {
    expect(await work(changes(1, 2, 3))).toEqual([]);
    expect(await found('message')).toEqual([]);
  });

  test('the search worker moves a malformed record to the dead letters with its reason, and indexes the rest', async () => {
    await opened.services.store.merge(messageWrites('t', 1, 1, 2));
    expect(await work(changes(1), 'not a record', changes(2))).toEqual([]);
    expect(await found('message')).toHaveLength(2);
    expect(opened.deadLetters.search).toEqual([{ body: 'not a record', reason: 'not JSON' }]);
    expect(opened.deadLetters.store).toEqual([]);
  });

  test('the search worker fails the whole batch when the index or the store is unavailable', async () => {
    const { store, searchIndex } = opened.services;
    await store.merge(messageWrites('t', 1, 1, 2));
    const out = async () => {
      throw new Error('out');
    };
    opened.services.searchIndex = Object.create(searchIndex, { index: { value: out } });
    expect(await work(changes(1), changes(2))).toEqual([1, 2]);
    opened.services.searchIndex = searchIndex;
    opened.services.store = Object.create(store, { merged: { value: out } });
    expect(await work(changes(1), changes(2))).toEqual([1, 2]);
    opened.services.store = store;
    expect(await work(changes(1), changes(2))).toEqual([]);
    expect(await found('message')).toHaveLength(2);
  });

  test('the search worker indexes a batch of thousands of messages', async () => {
    for (const chat of [1, 2, 3]) await opened.services.store.merge(messageWrites('t', chat, 1, 900));
    const keys = [1, 2, 3].flatMap((chat) => numbers(1, 900).map((number) => ({ token: 't', chat, number })));
    expect(await work(encodeChanges(keys))).toEqual([]);
    expect(await opened.services.searchIndex.search({ token: 't', q: 'message', limit: 1 })).toMatchObject({
      total: 2_700,
    });
  });

  test('in whatever order the queues deliver, search finally finds exactly what the lists show', async () => {
    const cases = history.chain((writes) => fc.tuple(deliveries(writes), fc.infiniteStream(fc.nat())));
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(cases, async ([way, random]) => {
        const token = `token ${runs++}`;
        const waiting: string[] = [];
        /** Returns some of the changes in any order, some of them twice. */
        const indexSome = async () => {
          for (let i = 0; i < 3 && waiting.length > 0; i++) {
            const at = Number(random.next().value) % waiting.length;
            await work(waiting[at] as string);
            if (Number(random.next().value) % 2 === 0) waiting.splice(at, 1);
          }
        };
        for (const { batch } of way) {
          opened.sent.length = 0;
          await deliver(storeWorker(opened.services), ...batch.map((write) => encodeWrites([{ ...write, token }])));
          waiting.push(...opened.sent);
          await indexSome();
        }
        for (const record of waiting) await work(record);

        const { application, chats } = await stateOf(opened.services.store, token);
        for (const [i, { chat, messages }] of chats.entries()) {
          // Below something deleted, the purge removes what is left.
          if (application === 'deleted' || chat === 'deleted') continue;
          const { matches } = await opened.services.searchIndex.search({ token, chat: i + 1, q: 'message', limit: 10 });
          const existing = messages.filter((message) => typeof message !== 'string');
          expect(matches.map(({ content }) => content.body).sort()).toEqual(
            existing.map(({ content }) => content.body).sort(),
          );
        }
      }),
      { numRuns: 50 },
    );
  });
});
