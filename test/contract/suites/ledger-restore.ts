import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ledger, WholeEntry } from '../../../lib/ledger/ledger.ts';
import { limits } from '../../../lib/limits.ts';
import { newToken } from '../../../lib/model/token.ts';
import { newClock } from '../../support/basics/clock.ts';
import { refusal } from '../../support/faults/refusal.ts';
import { chatNamed, contents, numbers } from '../../support/histories/writes.ts';
import type { LedgerUnderTest } from './ledger.ts';

/** The contract of every ledger's inventory, and of restoring entries that a ledger lost. */
export function ledgerRestoreContract(name: string, open: (now: () => number) => Promise<LedgerUnderTest>): void {
  describe(`the ledger and its restoring, ${name}`, () => {
    const clock = newClock();
    const at = clock();
    let opened: LedgerUnderTest;
    let ledger: Ledger;
    beforeAll(async () => {
      opened = await open(clock);
      ledger = opened.ledger;
    });
    afterAll(() => opened.close());

    const application = (token: string, more: Partial<WholeEntry> = {}): WholeEntry => ({
      token,
      name: 'restored',
      metadata: null,
      revision: 0,
      deleted: false,
      createdAt: 1_000,
      updatedAt: 1_000,
      highest: 0,
      ...more,
    });
    const entryOf = async (token: string, chat?: number) =>
      (await ledger.entries([chat === undefined ? { token } : { token, chat }]))[0];
    const changedMessage = async (token: string, number: number) =>
      (await ledger.changedMessages([{ token, chat: 1, number }]))[0];

    test('the ledger lists all tokens, including those of deleted applications', async () => {
      const created: string[] = [];
      for (const i of numbers(1, 12)) created.push((await ledger.createApplication(`${i}`)).token);
      const [deleted = ''] = created;
      await ledger.createChat(created[1] as string, chatNamed(null));
      await ledger.deleteApplication(deleted);
      const listed: string[] = [];
      for await (const token of ledger.tokens()) listed.push(token);
      expect(new Set(listed).size).toBe(listed.length);
      expect(listed).toEqual(expect.arrayContaining(created));
      expect(listed.filter((token) => token.includes('/'))).toEqual([]);
    });

    test('the ledger returns entries in the requested order, deleted ones without their name', async () => {
      const { token } = await ledger.createApplication('an application');
      for (const chat of ['one', null, 'three']) await ledger.createChat(token, chatNamed(chat));
      await ledger.createMessages({ token, chat: 1 }, contents(['1', '2']));
      await ledger.editChat({ token, chat: 1 }, { name: 'edited' });
      await ledger.editApplication(token, 'renamed');
      await ledger.deleteChat({ token, chat: 3 });
      const fresh = { metadata: null, createdAt: at, updatedAt: at, deleted: false };
      expect(
        await ledger.entries([
          { token, chat: 2 },
          { token },
          { token, chat: 9 },
          { token, chat: 1 },
          { token, chat: 3 },
        ]),
      ).toEqual([
        { token, chat: 2, name: null, revision: 0, highest: 0, ...fresh },
        { token, name: 'renamed', revision: 1, highest: 3, ...fresh },
        undefined,
        { token, chat: 1, name: 'edited', revision: 1, highest: 2, ...fresh },
        { token, chat: 3, name: null, revision: 0, highest: 0, ...fresh, deleted: true },
      ]);
      await ledger.deleteApplication(token);
      expect(await entryOf(token)).toMatchObject({ name: null, deleted: true, highest: 3 });
    });

    test('the ledger returns the messages that were edited or deleted, and no others', async () => {
      const { token } = await ledger.createApplication('an application');
      await ledger.createChat(token, chatNamed(null));
      await ledger.createMessages({ token, chat: 1 }, contents(['1', '2', '3']));
      await ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'edited' });
      await ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'edited again' });
      await ledger.deleteMessage({ token, chat: 1, number: 3 });
      const keys = [3, 2, 1].map((number) => ({ token, chat: 1, number }));
      expect(await ledger.changedMessages(keys)).toEqual([
        { token, chat: 1, number: 3, revision: expect.any(Number), deleted: true },
        undefined,
        { token, chat: 1, number: 1, revision: 2, deleted: false },
      ]);
    });

    test('the ledger returns the deleted messages of a chat in pages', async () => {
      const { token } = await ledger.createApplication('an application');
      for (const chat of ['one', 'two']) await ledger.createChat(token, chatNamed(chat));
      for (const chat of [1, 2]) await ledger.createMessages({ token, chat }, contents(numbers(1, 12).map(String)));
      const deleted = [1, 2, 5, 10, 11, 12];
      for (const number of deleted) await ledger.deleteMessage({ token, chat: 1, number });
      for (const number of [3, 10])
        await ledger.editMessage({ token, chat: 1, number }, { body: 'edited' }).catch(() => undefined);
      await ledger.deleteMessage({ token, chat: 2, number: 7 });
      const told: number[][] = [];
      for await (const some of ledger.deletedMessages({ token, chat: 1 }, 2)) told.push(some);
      expect(told.flat().sort((a, b) => a - b)).toEqual(deleted);
      for (const some of told) expect(some.length).toBeLessThanOrEqual(2);
      for await (const some of ledger.deletedMessages({ token, chat: 3 }, 2)) expect(some).toEqual([]);
    });

    test('a missing entry is restored as it was, and later writes continue from there', async () => {
      const token = newToken();
      const before = (await opened.writes()).length;
      await ledger.restore(application(token, { name: 'a', revision: 2, updatedAt: 3_000, highest: 7 }));
      await ledger.restore(application(token, { chat: 3, name: null, highest: 41 }));
      await ledger.restore(application(token, { chat: 4, name: null, metadata: '{"n":1}', highest: 0 }));
      expect(await ledger.chat(token, 4)).toMatchObject({ metadata: '{"n":1}' });
      await ledger.restore(application(token, { chat: 4, name: 'x', metadata: '{"n":2}', revision: 1, highest: 0 }));
      await ledger.restore(application(token, { chat: 4, name: 'old', metadata: null, highest: 0 }));
      expect(await ledger.chat(token, 4)).toMatchObject({ name: 'x', metadata: '{"n":2}' });
      expect(await ledger.application(token)).toEqual({ name: 'a', createdAt: 1_000, updatedAt: 3_000 });
      expect(await ledger.chat(token, 3)).toEqual({ ...chatNamed(null), createdAt: 1_000, updatedAt: 1_000 });
      // The restored entry is not sent to the store, because it comes from there.
      expect(await opened.writes()).toHaveLength(before);
      const keyed = { id: newToken(), payload: 'p' };
      expect((await ledger.createChat(token, chatNamed(null))).number).toBe(8);
      expect((await ledger.createMessages({ token, chat: 3 }, contents(['x', 'y']), { key: keyed })).first).toBe(42);
      expect((await ledger.createMessages({ token, chat: 3 }, contents(['x', 'y']), { key: keyed })).first).toBe(42);
      await ledger.editApplication(token, 'b');
      expect(await entryOf(token)).toMatchObject({ name: 'b', revision: 3 });
    });

    test('an application that is restored has a new access generation, and one that exists keeps its own', async () => {
      const token = newToken();
      await ledger.restore(application(token));
      const restored = await ledger.accessGeneration(token);
      expect(restored).toBe(clock());
      await ledger.raiseAccessGeneration(token);
      clock.advance(1_000);
      await ledger.restore(application(token, { highest: 5, revision: 3 }));
      expect(await ledger.accessGeneration(token)).toBe(clock() - 999);
      const { token: created } = await ledger.createApplication('created');
      await ledger.restore(application(created, { highest: 5 }));
      expect(await ledger.accessGeneration(created)).toBe(0);
    });

    test('restoring raises a counter but never lowers it, and keeps entries that are newer in the ledger', async () => {
      const { token } = await ledger.createApplication('first');
      await ledger.createChat(token, chatNamed('c'));
      await ledger.createMessages({ token, chat: 1 }, contents(['1', '2', '3']));
      await ledger.editChat({ token, chat: 1 }, { name: 'newer' });
      const known = await entryOf(token, 1);
      const chat = (more: Partial<WholeEntry>) => application(token, { chat: 1, ...more });
      await ledger.restore(chat({ highest: 2, name: 'older' }));
      await ledger.restore(chat({ highest: 3, name: 'other', revision: 1 }));
      expect(await entryOf(token, 1)).toEqual(known);
      await ledger.restore(chat({ highest: 10 }));
      await ledger.restore(chat({ highest: 10 }));
      expect(await entryOf(token, 1)).toEqual({ ...known, highest: 10 });
      expect((await ledger.createMessages({ token, chat: 1 }, contents(['x']))).first).toBe(11);
      await ledger.restore(chat({ name: 'newest', revision: 5, updatedAt: 9_000 }));
      expect(await entryOf(token, 1)).toMatchObject({ name: 'newest', revision: 5, updatedAt: 9_000, highest: 11 });
      expect(await entryOf(token)).toMatchObject({ name: 'first', highest: 1 });
    });

    test('a deletion is restored, and a restore never brings back what is deleted', async () => {
      const { token } = await ledger.createApplication('a');
      await ledger.createChat(token, chatNamed('c'));
      await ledger.restore(application(token, { chat: 1, deleted: true, name: null, highest: 4 }));
      expect(await refusal(ledger.createMessages({ token, chat: 1 }, contents(['x'])))).toBe('chat_not_found');
      await ledger.restore(application(token, { chat: 1, name: 'back', revision: 9 }));
      expect(await ledger.chat(token, 1)).toBeUndefined();
      expect(await entryOf(token, 1)).toMatchObject({ deleted: true, name: null, highest: 4 });
      // The ledger has no entry for this message.
      const gone = newToken();
      await ledger.restore(application(gone, { deleted: true, name: null, highest: 2 }));
      expect(await ledger.application(gone)).toBeUndefined();
      expect(await refusal(ledger.createChat(gone, chatNamed(null)))).toBe('application_not_found');
      expect(await entryOf(gone)).toMatchObject({ deleted: true, name: null, highest: 2 });
    });

    test('edits and deletions of messages are restored, and later ones continue from there', async () => {
      const { token } = await ledger.createApplication('a');
      await ledger.createChat(token, chatNamed('c'));
      await ledger.createMessages({ token, chat: 1 }, contents(['1', '2']));
      const message = (number: number, revision: number, deleted: boolean) =>
        ledger.restoreMessage({ token, chat: 1, number, revision, deleted });
      await message(1, 4, false);
      await message(1, 2, false);
      expect(await changedMessage(token, 1)).toMatchObject({ revision: 4, deleted: false });
      await ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'edited' });
      expect(await opened.writes()).toContainEqual(expect.objectContaining({ token, number: 1, revision: 5 }));
      await message(2, 0, true);
      await message(2, 3, false);
      expect(await changedMessage(token, 2)).toMatchObject({ deleted: true });
      expect(await refusal(ledger.editMessage({ token, chat: 1, number: 2 }, { body: 'late' }))).toBe(
        'message_not_found',
      );
      expect(await ledger.hasMessage(token, 1, 2)).toBe(false);
    });

    test('a create that would exceed the highest number is refused and takes no number; one that fits takes the last', async () => {
      const token = newToken();
      const { highestNumber } = limits;
      await ledger.restore(application(token, { highest: highestNumber - 1 }));
      await ledger.restore(application(token, { chat: 1, highest: highestNumber - 3 }));
      const key = () => ({ id: newToken(), payload: 'p' });
      for (const each of [undefined, key()])
        expect(
          await refusal(ledger.createMessages({ token, chat: 1 }, contents(['1', '2', '3', '4']), { key: each })),
        ).toBe('validation_failed');
      expect(await entryOf(token, 1)).toMatchObject({ highest: highestNumber - 3 });
      expect((await ledger.createMessages({ token, chat: 1 }, contents(['1', '2']))).first).toBe(highestNumber - 2);
      const last = key();
      expect((await ledger.createMessages({ token, chat: 1 }, contents(['3']), { key: last })).first).toBe(
        highestNumber,
      );
      // A retry with the same key returns its number even though no number is left.
      expect((await ledger.createMessages({ token, chat: 1 }, contents(['3']), { key: last })).first).toBe(
        highestNumber,
      );
      for (const each of [undefined, key()])
        expect(await refusal(ledger.createMessages({ token, chat: 1 }, contents(['4']), { key: each }))).toBe(
          'validation_failed',
        );
      expect((await ledger.createChat(token, chatNamed(null))).number).toBe(highestNumber);
      for (const each of [undefined, key()])
        expect(await refusal(ledger.createChat(token, chatNamed(null), { key: each }))).toBe('validation_failed');
      expect(await ledger.counters([{ token }, { token, chat: 1 }])).toEqual([highestNumber, highestNumber]);
      expect(await refusal(ledger.createMessages({ token, chat: highestNumber }, contents(['in the last chat'])))).toBe(
        'accepted',
      );
      expect(await refusal(ledger.editMessage({ token, chat: 1, number: highestNumber }, { body: 'edited' }))).toBe(
        'accepted',
      );
      // The queue contains every accepted write.
      const writes = (await opened.writes()).filter((write) => write.token === token);
      expect(writes.map((write) => ('number' in write ? write.number : 0)).sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual(
        [0, 1, highestNumber - 2, highestNumber - 1, highestNumber, highestNumber],
      );
      await ledger.deleteChat({ token, chat: 1 });
      expect(await refusal(ledger.createMessages({ token, chat: 1 }, contents(['x'])))).toBe('chat_not_found');
      await ledger.deleteApplication(token);
      expect(await refusal(ledger.createChat(token, chatNamed(null)))).toBe('application_not_found');
    });

    test('an edit at the highest revision is refused, but a deletion is accepted', async () => {
      const { token } = await ledger.createApplication('a');
      await ledger.createChat(token, chatNamed('c'));
      await ledger.createMessages({ token, chat: 1 }, contents(['1', '2']));
      const revision = limits.highestRevision - 1;
      await ledger.restore(application(token, { revision }));
      await ledger.restore(application(token, { chat: 1, revision }));
      await ledger.restoreMessage({ token, chat: 1, number: 1, revision, deleted: false });
      const edits = [
        () => ledger.editApplication(token, 'edited'),
        () => ledger.editChat({ token, chat: 1 }, { name: 'edited' }),
        () => ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'edited' }),
      ];
      for (const edit of edits) {
        expect(await refusal(edit())).toBe('accepted');
        expect(await refusal(edit())).toBe('validation_failed');
      }
      expect([(await entryOf(token))?.revision, (await entryOf(token, 1))?.revision]).toEqual([
        limits.highestRevision,
        limits.highestRevision,
      ]);
      expect(await refusal(ledger.deleteMessage({ token, chat: 1, number: 1 }))).toBe('accepted');
      expect(await refusal(ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'late' }))).toBe(
        'message_not_found',
      );
      expect(await refusal(ledger.deleteChat({ token, chat: 1 }))).toBe('accepted');
      expect(await refusal(ledger.editChat({ token, chat: 1 }, { name: 'late' }))).toBe('chat_not_found');
      expect(await refusal(ledger.deleteApplication(token))).toBe('accepted');
      expect(await refusal(ledger.editApplication(token, 'late'))).toBe('application_not_found');
    });

    test('values out of bounds are not restored', async () => {
      const token = newToken();
      for (const wrong of [
        { highest: -1 },
        { highest: limits.highestNumber + 1 },
        { highest: 1.5 },
        { highest: Number.NaN },
        { revision: -1 },
        { revision: limits.highestRevision + 1 },
        { createdAt: -1 },
        { createdAt: limits.latestTime + 1 },
        { updatedAt: -1 },
        { updatedAt: Number.POSITIVE_INFINITY },
        { chat: 0 },
        { chat: limits.highestNumber + 1 },
      ])
        await expect(ledger.restore(application(token, wrong))).rejects.toThrow(RangeError);
      expect(await entryOf(token)).toBeUndefined();
      await ledger.restore(application(token));
      for (const wrong of [
        { chat: 0 },
        { chat: limits.highestNumber + 1 },
        { number: 0 },
        { number: limits.highestNumber + 1 },
        { revision: -1 },
        { revision: limits.highestRevision + 1 },
      ]) {
        const message = { token, chat: 1, number: 1, revision: 1, deleted: true, ...wrong };
        await expect(ledger.restoreMessage(message)).rejects.toThrow(RangeError);
        expect(await ledger.changedMessages([message])).toEqual([undefined]);
      }
    });

    test('no write is accepted for a number out of bounds', async () => {
      const { token } = await ledger.createApplication('a');
      await ledger.createChat(token, chatNamed('c'));
      const chat = limits.highestNumber + 1;
      const calls = [
        ledger.createMessages({ token, chat }, contents(['x'])),
        ledger.editChat({ token, chat }, { name: 'x' }),
        ledger.deleteChat({ token, chat }),
        ledger.editMessage({ token, chat, number: 1 }, { body: 'x' }),
        ledger.deleteMessage({ token, chat, number: 1 }),
      ];
      expect(new Set(await Promise.all(calls.map(refusal)))).toEqual(new Set(['chat_not_found']));
      expect(await refusal(ledger.editMessage({ token, chat: 1, number: chat }, { body: 'x' }))).toBe(
        'message_not_found',
      );
      expect(await ledger.hasMessage(token, 1, chat)).toBe(false);
      expect(await ledger.hasMessage(token, chat, 1)).toBe(false);
    });

    test('concurrent and repeated restores of the same entries have the effect of one restore', async () => {
      const token = newToken();
      const entries = numbers(1, 10).map((i) =>
        application(token, { name: `${i}`, revision: i, updatedAt: i, highest: 11 - i }),
      );
      await Promise.all([...entries, ...entries].map((entry) => ledger.restore(entry)));
      expect(await entryOf(token)).toMatchObject({ name: '10', revision: 10, updatedAt: 10, highest: 10 });
    });
  });
}
