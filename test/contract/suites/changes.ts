import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Parent } from '../../../lib/model/keys.ts';
import type { Write } from '../../../lib/model/write.ts';
import type { ChangesRange } from '../../../lib/store/changes.ts';
import type { Store } from '../../../lib/store/store.ts';
import { type AnyChange, Follower } from '../../support/changes/follower.ts';
import { purgeAll } from '../../support/client/all-pages.ts';
import { deliveries, history } from '../../support/histories/histories.ts';
import {
  applicationWrite,
  chatWrite,
  deletionWrite,
  messageWrite,
  messageWrites,
  numbers,
} from '../../support/histories/writes.ts';
import type { StoreUnderTest } from './store.ts';

/** The contract of a store's versions and changes. The tests share one store, and each uses applications of its own. */
export function changesContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`the changes, ${name}`, () => {
    let opened: StoreUnderTest;
    let store: Store;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(() => opened.close());

    const newToken = () => randomUUID();
    const read = async ({ token, chat }: Parent, range: Partial<ChangesRange> = {}) => {
      const upTo = await store.version({ token, ...(chat !== undefined && { chat }) });
      const whole = { after: { version: 0 }, upTo, limit: 1_000, ...range };
      return chat === undefined ? store.chatChanges(token, whole) : store.messageChanges({ token, chat }, whole);
    };
    const changesIn = async (parent: Parent, after = 0): Promise<AnyChange[]> =>
      (await read(parent, { after: { version: after } })).changes;
    const told = (changes: AnyChange[]) => changes.map(({ version, number, type }) => `${version}: ${number} ${type}`);

    test('each merge that changes a chat makes its next version, and stamps what it changed', async () => {
      const chat = { token: newToken(), chat: 1 };
      const { token } = chat;
      expect(await store.version(chat)).toBe(0);
      expect(await store.merge([chatWrite(token, 1), ...messageWrites(token, 1, 1, 2)])).toEqual([
        { token, version: 1 },
        { ...chat, version: 1 },
      ]);
      expect(await store.merge([messageWrite(token, 1, 3)])).toEqual([{ ...chat, version: 2 }]);
      await store.merge([messageWrite(token, 1, 1, { revision: 1 }), deletionWrite(token, 1, 3)]);
      expect(await store.version(chat)).toBe(3);
      expect(told(await changesIn(chat))).toEqual(['1: 2 created', '3: 1 edited', '3: 3 deleted']);
      expect(told(await changesIn(chat, 1))).toEqual(['3: 1 edited', '3: 3 deleted']);
      expect(await changesIn(chat, 3)).toEqual([]);
      expect(await store.version({ token })).toBe(1);
    });

    test('a change has the message as it is now, and nothing of a deleted one', async () => {
      const chat = { token: newToken(), chat: 1 };
      const { token } = chat;
      await store.merge([messageWrite(token, 1, 1, { sender: 'ada', metadata: '{"a":1}' }), messageWrite(token, 1, 2)]);
      await store.merge([messageWrite(token, 1, 1, { revision: 1, body: 'edited' }), deletionWrite(token, 1, 2)]);
      expect(await changesIn(chat)).toEqual([
        { version: 2, number: 1, type: 'edited', stored: await store.message(token, 1, 1) },
        { version: 2, number: 2, type: 'deleted' },
      ]);
    });

    test('the changes of an application are those of its chats, without messages, counts and its own name', async () => {
      const token = newToken();
      await store.merge([applicationWrite(token)]);
      await store.merge([chatWrite(token, 1, { metadata: '{"a":1}' }), chatWrite(token, 2), chatWrite(token, 3)]);
      await store.merge([chatWrite(token, 2, { revision: 1 }), deletionWrite(token, 3)]);
      await store.merge([messageWrite(token, 1, 1), applicationWrite(token, { revision: 1 })]);
      const [mark] = (await store.marks(1_000)).filter((each) => each.token === token && each.chat === 1);
      if (mark) await store.setCounts([mark], [1]);
      expect(await store.version({ token })).toBe(2);
      const changes = await changesIn({ token });
      expect(told(changes)).toEqual(['1: 1 created', '2: 2 edited', '2: 3 deleted']);
      const { messagesCount: _, ...first } = (await store.chat(token, 1)) as { messagesCount: number };
      expect(changes[0]).toMatchObject({ stored: first });
      expect(changes[0]).not.toHaveProperty('stored.messagesCount');
    });

    test('a write that is delivered again stamps no row, even in a batch with new writes', async () => {
      const token = newToken();
      const chat = { token, chat: 1 };
      const writes = [
        chatWrite(token, 1),
        chatWrite(token, 1, { revision: 1 }),
        ...messageWrites(token, 1, 1, 3),
        messageWrite(token, 1, 1, { revision: 2, metadata: '{"a":1}' }),
        deletionWrite(token, 1, 2),
      ];
      await store.merge(writes);
      const before = [await changesIn({ token }), await changesIn(chat)];
      for (const write of writes) await store.merge([write]);
      await store.merge([...writes, ...writes]);
      // An older edit, and one of a deleted message, change nothing either.
      await store.merge([messageWrite(token, 1, 1, { revision: 1 }), messageWrite(token, 1, 2, { revision: 3 })]);
      expect([await changesIn({ token }), await changesIn(chat)]).toEqual(before);
      const last = await store.version(chat);
      await store.merge([...writes, messageWrite(token, 1, 4)]);
      expect(told(await changesIn(chat, last))).toEqual([`${last + 1}: 4 created`]);
    });

    test('a large batch of one chat stamps exactly the messages that it changes', async () => {
      const chat = { token: newToken(), chat: 1 };
      const { token } = chat;
      await store.merge(messageWrites(token, 1, 1, 33));
      const edited = messageWrite(token, 1, 7, { revision: 1, body: 'edited' });
      const batch = [
        ...messageWrites(token, 1, 1, 25),
        edited,
        messageWrite(token, 1, 8, { revision: 2, metadata: '{"a":2}' }),
        messageWrite(token, 1, 8, { revision: 1, metadata: '{"a":1}' }),
        ...messageWrites(token, 1, 26, 60),
        deletionWrite(token, 1, 12),
        ...messageWrites(token, 1, 61, 160),
      ];
      await store.merge(batch);
      const edits = [7, 8].map((number) => `2: ${number} edited`);
      const created = numbers(34, 160).map((number) => `2: ${number} created`);
      expect(told(await changesIn(chat, 1))).toEqual([...edits, '2: 12 deleted', ...created]);
      expect(await store.message(token, 1, 7)).toMatchObject({ content: { body: 'edited' } });
      expect(await store.message(token, 1, 8)).toMatchObject({ content: { metadata: '{"a":2}' } });
      await store.merge(batch);
      expect(await changesIn(chat, 2)).toEqual([]);
    });

    test('an edit that arrives before its creation is no change until the creation arrives', async () => {
      const token = newToken();
      await store.merge([chatWrite(token, 1, { revision: 1 }), messageWrite(token, 1, 1, { revision: 1 })]);
      expect([await changesIn({ token }), await changesIn({ token, chat: 1 })]).toEqual([[], []]);
      const seen = await store.version({ token, chat: 1 });
      await store.merge([chatWrite(token, 1), messageWrite(token, 1, 1)]);
      expect(told(await changesIn({ token, chat: 1 }, seen))).toEqual([`${seen + 1}: 1 edited`]);
      expect(told(await changesIn({ token }, seen))).toEqual([`${seen + 1}: 1 edited`]);
    });

    test('a deletion that arrives before its creation makes one change, and the creation makes none', async () => {
      const token = newToken();
      const chat = { token, chat: 1 };
      await store.merge([deletionWrite(token, 1, 1)]);
      expect(told(await changesIn(chat))).toEqual(['1: 1 deleted']);
      await store.merge([messageWrite(token, 1, 1), messageWrite(token, 1, 2)]);
      expect(told(await changesIn(chat))).toEqual(['1: 1 deleted', '2: 2 created']);
    });

    test('a void number makes no change, and a message that is stored under it later makes one', async () => {
      const chat = { token: newToken(), chat: 1 };
      await store.merge([messageWrite(chat.token, 1, 2)]);
      await store.noteMissing(chat, [1], 1_000);
      await store.recordVoid(chat, [1]);
      expect(told(await changesIn(chat))).toEqual(['1: 2 created']);
      await store.merge([messageWrite(chat.token, 1, 1)]);
      expect(told(await changesIn(chat, 1))).toEqual(['2: 1 created']);
    });

    test('a page may begin after any version or within one, and may end with any version', async () => {
      const token = newToken();
      const chat = { token, chat: 1 };
      for (const [first, last] of [
        [1, 3],
        [4, 4],
        [5, 8],
      ] as const)
        await store.merge([
          ...messageWrites(token, 1, first, last),
          ...numbers(first, last).map((number) => chatWrite(token, number)),
        ]);
      for (const parent of [chat, { token }]) {
        const all = (await changesIn(parent)).map(({ version, number }) => ({ version, number }));
        expect(all.map(({ version, number }) => `${version}/${number}`).join(' ')).toBe(
          '1/1 1/2 1/3 2/4 3/5 3/6 3/7 3/8',
        );
        for (const after of [{ version: 0 }, { version: 1 }, { version: 2 }, { version: 3 }, ...all])
          for (const upTo of [0, 1, 2, 3])
            for (const limit of [1, 3, 8]) {
              const expected = all.filter(
                ({ version, number }) =>
                  version <= upTo &&
                  (version > after.version ||
                    ('number' in after && version === after.version && number > after.number)),
              );
              // A position within a version comes from a page that had the version, so it is never above `upTo`.
              if (after.version > upTo) continue;
              const { changes, next } = await read(parent, { after, upTo, limit });
              expect(changes).toMatchObject(expected.slice(0, limit));
              expect(changes).toHaveLength(Math.min(limit, expected.length));
              expect(next).toBe(expected[limit]?.version);
            }
      }
    });

    test('a page of long messages ends early, and names the version that follows', async () => {
      const chat = { token: newToken(), chat: 1 };
      const body = '\u{1F469}'.repeat(10_000);
      for (const first of [1, 301])
        await store.merge(numbers(first, first + 299).map((number) => messageWrite(chat.token, 1, number, { body })));
      const { changes, next } = await read(chat);
      expect([changes.length, next]).toEqual([250, 1]);
      const [{ version, number }] = changes.slice(-1) as [AnyChange];
      const rest = await read(chat, { after: { version, number } });
      expect([rest.changes[0]?.number, rest.changes.length, rest.next]).toEqual([251, 250, 2]);
    });

    test('a step has all changes of its version, and versions of several chats are read at once', async () => {
      const token = newToken();
      const versions = await store.merge([
        ...numbers(1, 3).map((chat) => chatWrite(token, chat)),
        ...messageWrites(token, 1, 1, 3),
        ...messageWrites(token, 2, 1, 1),
        messageWrite(token, 3, 1, { revision: 1 }),
      ]);
      expect(versions).toHaveLength(4);
      const steps = await store.steps(versions);
      expect(steps.map(({ chat, version, changes }) => [chat, version, told(changes)])).toEqual([
        [undefined, 1, ['1: 1 created', '1: 2 created', '1: 3 created']],
        [1, 1, ['1: 1 created', '1: 2 created', '1: 3 created']],
        [2, 1, ['1: 1 created']],
        [3, 1, []],
      ]);
      expect(steps[1]?.changes[0]).toMatchObject({ stored: await store.message(token, 1, 1) });
      await store.merge([messageWrite(token, 1, 1, { revision: 1 })]);
      expect((await store.steps([{ token, chat: 1, version: 1 }])).map(({ changes }) => told(changes))).toEqual([
        ['1: 2 created', '1: 3 created'],
      ]);
      expect(await store.steps([])).toEqual([]);
    });

    test('a write below something deleted makes no change, and the purge removes the versions with the rows', async () => {
      const [token, beside] = [newToken(), newToken()];
      for (const chat of [1, 2])
        await store.merge([chatWrite(token, chat), ...messageWrites(token, chat, 1, 3), messageWrite(beside, chat, 1)]);
      await store.merge([deletionWrite(token, 1)]);
      expect(told(await changesIn({ token }))).toEqual(['2: 2 created', '3: 1 deleted']);
      await store.merge([messageWrite(token, 1, 4)]);
      expect((await changesIn({ token, chat: 1 })).map(({ number }) => number)).not.toContain(4);
      await purgeAll((limit) => store.purgeRows({ token, chat: 1 }, limit), 2);
      expect([await changesIn({ token, chat: 1 }), await store.version({ token, chat: 1 })]).toEqual([[], 0]);
      expect(told(await changesIn({ token }))).toEqual(['2: 2 created', '3: 1 deleted']);

      await store.merge([deletionWrite(token)]);
      await purgeAll((limit) => store.purgeRows({ token }, limit), 2);
      expect([await store.version({ token }), await store.version({ token, chat: 2 })]).toEqual([0, 0]);
      expect([await changesIn({ token }), await changesIn({ token, chat: 2 })]).toEqual([[], []]);
      // Writes that arrive after the purge make no change.
      await store.merge([chatWrite(token, 3), messageWrite(token, 2, 9)]);
      expect([await changesIn({ token }), await changesIn({ token, chat: 2 })]).toEqual([[], []]);
      expect(told(await changesIn({ token: beside, chat: 2 }))).toEqual(['1: 1 created']);
    });

    test('a follower that polls ends with the state of the store, whatever is delivered late or twice', async () => {
      const cases = history.chain((writes) => fc.tuple(fc.constant(writes), deliveries(writes)));
      await fc.assert(
        fc.asyncProperty(cases, async ([, way]) => {
          const token = newToken();
          const followers = [{ token }, { token, chat: 1 }, { token, chat: 2 }].map((parent) => new Follower(parent));
          for (const { batch, countAfter } of way) {
            await store.merge(batch.map((write) => ({ ...write, token })));
            if (countAfter) for (const follower of followers) await follower.poll(store);
          }
          for (const follower of followers) await follower.poll(store);
          if ((await store.application(token)) === 'deleted') return;
          const [application, ...chats] = followers as [Follower, Follower, Follower];
          const { rows } = await store.chats(token, { order: 'asc', limit: 10 });
          expect(application.existing()).toEqual(rows.map(({ messagesCount: _, ...state }) => state));
          for (const [i, chat] of chats.entries())
            if ((await store.chat(token, i + 1)) !== 'deleted')
              expect(chat.existing()).toEqual((await store.messages(token, i + 1, { order: 'asc', limit: 10 })).rows);
        }),
        { numRuns: 100 },
      );
    });

    test('versions become visible in order, although 8 batches of one chat are merged at once', async () => {
      const token = newToken();
      const follower = new Follower({ token, chat: 1 });
      const batches = numbers(0, 31).map((i): Write[] => [
        ...messageWrites(token, 1, i * 20 + 1, i * 20 + 20),
        // Each batch repeats rows of the previous one, and edits some.
        ...messageWrites(token, 1, Math.max(1, i * 20 - 4), i * 20),
        messageWrite(token, 1, i * 20 + 1, { revision: 1 }),
      ]);
      let merging = true;
      const merges = Promise.all(
        numbers(0, 7).map(async (worker) => {
          for (const batch of batches.filter((_, i) => i % 8 === worker)) await store.merge(batch);
        }),
      ).finally(() => {
        merging = false;
      });
      while (merging) {
        await follower.poll(store);
        await new Promise(setImmediate);
      }
      await merges;
      await follower.poll(store);
      expect(follower.existing()).toEqual((await store.messages(token, 1, { order: 'asc', limit: 1_000 })).rows);
      expect(follower.existing()).toHaveLength(640);
    });
  });
}
