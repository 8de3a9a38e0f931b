import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { IdempotencyKey, Ledger } from '../../../lib/ledger/ledger.ts';
import { limits } from '../../../lib/limits.ts';
import { blankContent, type MessageContent } from '../../../lib/model/content.ts';
import type { Write } from '../../../lib/model/write.ts';
import { newClock } from '../../support/basics/clock.ts';
import { purgeAll } from '../../support/client/all-pages.ts';
import { refusal } from '../../support/faults/refusal.ts';
import { chatNamed, contents, numbers } from '../../support/histories/writes.ts';

export interface LedgerUnderTest {
  ledger: Ledger;
  /** Every write queued for the store since the ledger was first opened. */
  writes: () => Promise<Write[]>;
  /**
   * Whether creating a message checks that the application exists. A remote ledger skips this check, so it may accept
   * some messages below a deleted application.
   */
  refusesCreatesBelowDeletedApplication: 'at once' | 'once purged';
  /** Returns the same data after a restart, and closes this ledger. */
  reopen: () => Promise<LedgerUnderTest>;
  close: () => Promise<void>;
}

/**
 * The contract of every ledger. The tests share one ledger, as clients do, and each uses an application of its own.
 *
 * @param open opens a ledger on the given clock, in milliseconds since 1970
 */
export function ledgerContract(name: string, open: (now: () => number) => Promise<LedgerUnderTest>): void {
  describe(`the ledger, ${name}`, () => {
    const clock = newClock();
    let opened: LedgerUnderTest;
    let ledger: Ledger;
    beforeAll(async () => {
      opened = await open(clock);
      ledger = opened.ledger;
    });
    afterAll(() => opened.close());

    const newApplication = async () => (await ledger.createApplication('an application')).token;
    const newChat = async () => {
      const token = await newApplication();
      const { number: chat } = await ledger.createChat(token, chatNamed('a chat'));
      return { token, chat };
    };
    const newKey = (payload = 'payload'): IdempotencyKey => ({ id: randomUUID(), payload });
    /** Returns the writes queued for one application, except those of other tests. */
    const writesOf = async <Kind extends Write['kind']>(token: string, kind: Kind) =>
      (await opened.writes()).filter(
        (write): write is Extract<Write, { kind: Kind }> => write.token === token && write.kind === kind,
      );
    const messagesOf = async (token: string) =>
      (await writesOf(token, 'message')).map(({ chat, number, revision, content }) => ({
        chat,
        number,
        revision,
        ...(content as MessageContent),
      }));
    const ascending = (values: number[]) => values.toSorted((a, b) => a - b);

    describe('numbers', () => {
      test('chats are numbered from 1 in each application, messages from 1 in each chat', async () => {
        const token = await newApplication();
        expect((await ledger.createChat(token, chatNamed(null))).number).toBe(1);
        expect((await ledger.createChat(token, chatNamed(null))).number).toBe(2);
        expect((await ledger.createChat(await newApplication(), chatNamed(null))).number).toBe(1);
        expect((await ledger.createMessages({ token, chat: 1 }, contents(['one']))).first).toBe(1);
        expect((await ledger.createMessages({ token, chat: 1 }, contents(['two']))).first).toBe(2);
        expect((await ledger.createMessages({ token, chat: 2 }, contents(['one']))).first).toBe(1);
      });

      test('a batch takes consecutive numbers, and the next create takes the number after them', async () => {
        const { token, chat } = await newChat();
        expect((await ledger.createMessages({ token, chat }, contents(['1', '2', '3']))).first).toBe(1);
        expect((await ledger.createMessages({ token, chat }, contents(['4']))).first).toBe(4);
        expect((await messagesOf(token)).map(({ number, body }) => [number, body])).toEqual(
          expect.arrayContaining([1, 2, 3, 4].map((number) => [number, String(number)])),
        );
      });

      test('200 concurrent creates in several chats, some of them refused, take unique numbers without gaps', async () => {
        const token = await newApplication();
        const chats = [1, 2, 3, 4];
        for (const _ of chats) await ledger.createChat(token, chatNamed(null));
        const answered: ({ chat: number; number: number; revision: number } & MessageContent)[] = [];
        await Promise.all(
          numbers(1, 200).map(async (i) => {
            const chat = chats[i % chats.length] as number;
            const bodies = numbers(1, 1 + (i % 3)).map((part) => `${i}.${part}`);
            const [{ first }, refused] = await Promise.all([
              ledger.createMessages({ token, chat }, contents(bodies)),
              i % 5 === 0 ? refusal(ledger.createMessages({ token, chat: 99 }, contents(bodies))) : undefined,
            ]);
            if (refused) expect(refused).toBe('chat_not_found');
            answered.push(
              ...contents(bodies).map((content, at) => ({ chat, number: first + at, revision: 0, ...content })),
            );
          }),
        );
        for (const chat of chats) {
          const given = answered.filter((message) => message.chat === chat).map(({ number }) => number);
          expect(ascending(given)).toEqual(numbers(1, given.length));
        }
        // The writes queued for the store are exactly those that were acknowledged.
        const order = (a: { body: string }, b: { body: string }) => (a.body < b.body ? -1 : 1);
        expect((await messagesOf(token)).sort(order)).toEqual(answered.sort(order));
      });

      test('concurrent chats take unique numbers without gaps', async () => {
        const token = await newApplication();
        const given = await Promise.all(numbers(1, 50).map(() => ledger.createChat(token, chatNamed(null))));
        expect(ascending(given.map(({ number }) => number))).toEqual(numbers(1, 50));
      });

      test('a refused create takes no number', async () => {
        const token = await newApplication();
        expect(await refusal(ledger.createMessages({ token, chat: 1 }, contents(['too early'])))).toBe(
          'chat_not_found',
        );
        expect(await refusal(ledger.createChat('unknown', chatNamed(null)))).toBe('application_not_found');
        const { number: chat } = await ledger.createChat(token, chatNamed(null));
        expect(chat).toBe(1);
        expect(await refusal(ledger.createMessages({ token, chat: chat + 1 }, contents(['no such chat'])))).toBe(
          'chat_not_found',
        );
        expect((await ledger.createMessages({ token, chat }, contents(['first']))).first).toBe(1);
        expect(await ledger.counters([{ token }, { token, chat }])).toEqual([1, 1]);
      });

      test('a number is never used again after a deletion', async () => {
        const { token, chat } = await newChat();
        await ledger.createMessages({ token, chat }, contents(['1', '2']));
        await ledger.deleteMessage({ token, chat, number: 2 });
        expect((await ledger.createMessages({ token, chat }, contents(['3']))).first).toBe(3);
        await ledger.deleteChat({ token, chat });
        expect((await ledger.createChat(token, chatNamed(null))).number).toBe(chat + 1);
      });

      test('a token has 22 URL-safe characters and differs from every other token', async () => {
        const given = await Promise.all(numbers(1, 50).map(newApplication));
        expect(new Set(given).size).toBe(50);
        for (const token of given) expect(token).toMatch(/^[A-Za-z0-9_-]{22}$/);
      });
    });

    describe('the writes queued for the store', () => {
      test('each queued write has the values that were returned to the client, with increasing revisions', async () => {
        const { token, at } = await ledger.createApplication('first name');
        expect(at).toBe(clock());
        clock.advance(5);
        expect(await ledger.editApplication(token, 'second name')).toEqual({ createdAt: at, at: at + 5 });
        clock.advance(5);
        expect(await ledger.createChat(token, chatNamed(null))).toEqual({ number: 1, at: at + 10 });
        clock.advance(5);
        expect(await ledger.editChat({ token, chat: 1 }, { name: 'named' })).toEqual({
          createdAt: at + 10,
          at: at + 15,
        });
        expect(await ledger.editChat({ token, chat: 1 }, { name: null })).toEqual({ createdAt: at + 10, at: at + 15 });
        expect(await ledger.createMessages({ token, chat: 1 }, contents(['a', 'b']))).toEqual({
          first: 1,
          at: at + 15,
        });
        expect(await ledger.editMessage({ token, chat: 1, number: 2 }, { body: 'B' })).toEqual({ at: at + 15 });
        expect(await ledger.editMessage({ token, chat: 1, number: 2 }, { body: 'BB' })).toEqual({ at: at + 15 });
        await ledger.deleteMessage({ token, chat: 1, number: 1 });
        clock.advance(5);
        await ledger.deleteChat({ token, chat: 1 });
        await ledger.deleteApplication(token);

        const queued = (await opened.writes()).filter((write) => write.token === token);
        const expected: Write[] = [
          { kind: 'application', token, revision: 0, at, name: 'first name' },
          { kind: 'application', token, revision: 1, at: at + 5, name: 'second name' },
          { kind: 'chat', token, chat: 1, revision: 0, at: at + 10, ...chatNamed(null) },
          { kind: 'chat', token, chat: 1, revision: 1, at: at + 15, name: 'named' },
          { kind: 'chat', token, chat: 1, revision: 2, at: at + 15, name: null },
          {
            kind: 'message',
            token,
            chat: 1,
            number: 1,
            revision: 0,
            at: at + 15,
            content: { ...blankContent, body: 'a' },
          },
          {
            kind: 'message',
            token,
            chat: 1,
            number: 2,
            revision: 0,
            at: at + 15,
            content: { ...blankContent, body: 'b' },
          },
          { kind: 'message', token, chat: 1, number: 2, revision: 1, at: at + 15, content: { body: 'B' } },
          { kind: 'message', token, chat: 1, number: 2, revision: 2, at: at + 15, content: { body: 'BB' } },
          { kind: 'deletion', token, chat: 1, number: 1, at: at + 15 },
          { kind: 'deletion', token, chat: 1, at: at + 20 },
          { kind: 'deletion', token, at: at + 20 },
        ];
        // A queue does not keep the order of its messages.
        expect(queued).toHaveLength(expected.length);
        expect(queued).toEqual(expect.arrayContaining(expected));
      });

      test('a chat is read with its last name and metadata, and an edit keeps what it does not set', async () => {
        const token = await newApplication();
        await ledger.createChat(token, { name: 'one', metadata: '{"n":1}' });
        expect(await ledger.chat(token, 1)).toMatchObject({ name: 'one', metadata: '{"n":1}' });
        await ledger.editChat({ token, chat: 1 }, { name: 'two' });
        expect(await ledger.chat(token, 1)).toMatchObject({ name: 'two', metadata: '{"n":1}' });
        await ledger.editChat({ token, chat: 1 }, { metadata: null });
        expect(await ledger.chat(token, 1)).toMatchObject({ name: 'two', metadata: null });
        await ledger.editChat({ token, chat: 1 }, { name: null, metadata: '{"n":3}' });
        expect(await ledger.chat(token, 1)).toMatchObject({ name: null, metadata: '{"n":3}' });
        expect(await ledger.entries([{ token, chat: 1 }])).toMatchObject([{ metadata: '{"n":3}', revision: 3 }]);
        await ledger.deleteChat({ token, chat: 1 });
        expect(await ledger.entries([{ token, chat: 1 }])).toMatchObject([
          { name: null, metadata: null, deleted: true },
        ]);
      });

      test('nothing of a refused write is queued', async () => {
        const { token, chat } = await newChat();
        await ledger.createMessages({ token, chat }, contents(['only']));
        const before = (await opened.writes()).length;
        expect(await refusal(ledger.createMessages({ token, chat: 99 }, contents(['x'])))).toBe('chat_not_found');
        expect(await refusal(ledger.editMessage({ token, chat, number: 2 }, { body: 'x' }))).toBe('message_not_found');
        expect(await refusal(ledger.deleteMessage({ token, chat, number: 2 }))).toBe('message_not_found');
        expect(await refusal(ledger.editChat({ token, chat: 99 }, { name: 'x' }))).toBe('chat_not_found');
        expect(await refusal(ledger.deleteApplication('unknown'))).toBe('application_not_found');
        expect(await opened.writes()).toHaveLength(before);
      });

      test('every character of names and bodies is queued unchanged', async () => {
        const odd =
          '\u0001\u001f\u007f\u0085 \u{1F600} e\u0301 \u202e\uFFFD\uFFFE\uFFFF\u{10FFFF} \\ " \' \u2028 ' as const;
        const { token } = await ledger.createApplication(odd);
        await ledger.createChat(token, chatNamed(odd));
        await ledger.createMessages({ token, chat: 1 }, contents([odd]));
        expect((await writesOf(token, 'application'))[0]?.name).toBe(odd);
        expect((await writesOf(token, 'chat'))[0]?.name).toBe(odd);
        expect((await writesOf(token, 'message'))[0]?.content.body).toBe(odd);
        expect(await ledger.application(token)).toMatchObject({ name: odd });
      });

      test('the largest batch is queued complete, even if escaping enlarges each of its characters', async () => {
        const { token, chat } = await newChat();
        const bodies = numbers(1, limits.batchSize).map((i) => `${i} ${'é'.repeat(500)}`);
        await ledger.createMessages({ token, chat }, contents(bodies));
        const queued = (await messagesOf(token)).sort((a, b) => a.number - b.number);
        expect(queued.map(({ body }) => body)).toEqual(bodies);
        expect(queued.map(({ number }) => number)).toEqual(numbers(1, limits.batchSize));
      });

      test('each of 20 concurrent edits of a message has a revision of its own', async () => {
        const { token, chat } = await newChat();
        await ledger.createMessages({ token, chat }, contents(['created']));
        await Promise.all(
          numbers(1, 20).map((i) => ledger.editMessage({ token, chat, number: 1 }, { body: `edit ${i}` })),
        );
        const revisions = (await messagesOf(token)).map(({ revision }) => revision);
        expect(ascending(revisions)).toEqual(numbers(0, 20));
      });
    });

    describe('refusals', () => {
      test('every write to an unknown token of any shape is refused with application_not_found', async () => {
        for (const token of ['unknown', 'a/b', '%00', "'; --", '\u{1F600}', ' ', 'x'.repeat(1_000)]) {
          expect(await refusal(ledger.createChat(token, chatNamed(null)))).toBe('application_not_found');
          expect(await refusal(ledger.createMessages({ token, chat: 1 }, contents(['x'])))).toBe(
            'application_not_found',
          );
          expect(await refusal(ledger.editApplication(token, 'x'))).toBe('application_not_found');
          expect(await refusal(ledger.editChat({ token, chat: 1 }, { name: null }))).toBe('application_not_found');
          expect(await refusal(ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'x' }))).toBe(
            'application_not_found',
          );
          expect(await refusal(ledger.deleteApplication(token))).toBe('application_not_found');
          expect(await refusal(ledger.deleteChat({ token, chat: 1 }))).toBe('application_not_found');
          expect(await refusal(ledger.deleteMessage({ token, chat: 1, number: 1 }))).toBe('application_not_found');
          expect(await ledger.application(token)).toBeUndefined();
          expect(await ledger.chat(token, 1)).toBeUndefined();
          expect(await ledger.hasMessage(token, 1, 1)).toBe(false);
        }
      });

      test('a number that was never assigned is not found, however large it is', async () => {
        const { token, chat } = await newChat();
        await ledger.createMessages({ token, chat }, contents(['1']));
        for (const number of [2, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
          expect(await refusal(ledger.createMessages({ token, chat: number }, contents(['x'])))).toBe('chat_not_found');
          expect(await refusal(ledger.editChat({ token, chat: number }, { name: null }))).toBe('chat_not_found');
          expect(await refusal(ledger.deleteChat({ token, chat: number }))).toBe('chat_not_found');
          expect(await refusal(ledger.editMessage({ token, chat, number }, { body: 'x' }))).toBe('message_not_found');
          expect(await refusal(ledger.editMessage({ token, chat: number, number: 1 }, { body: 'x' }))).toBe(
            'chat_not_found',
          );
          expect(await refusal(ledger.deleteMessage({ token, chat, number }))).toBe('message_not_found');
          expect(await refusal(ledger.deleteMessage({ token, chat: number, number: 1 }))).toBe('chat_not_found');
        }
      });

      test('a deleted message refuses edits and a second deletion at once, and its neighbours accept them', async () => {
        const { token, chat } = await newChat();
        await ledger.createMessages({ token, chat }, contents(['1', '2']));
        await ledger.editMessage({ token, chat, number: 1 }, { body: 'edited' });
        await ledger.deleteMessage({ token, chat, number: 1 });
        expect(await refusal(ledger.editMessage({ token, chat, number: 1 }, { body: 'late' }))).toBe(
          'message_not_found',
        );
        expect(await refusal(ledger.deleteMessage({ token, chat, number: 1 }))).toBe('message_not_found');
        expect(await refusal(ledger.editMessage({ token, chat, number: 2 }, { body: 'fine' }))).toBe('accepted');
      });

      test('exactly one of several concurrent deletions is accepted', async () => {
        const { token, chat } = await newChat();
        await ledger.createMessages({ token, chat }, contents(['1']));
        for (const deletion of [
          () => ledger.deleteMessage({ token, chat, number: 1 }),
          () => ledger.deleteChat({ token, chat }),
          () => ledger.deleteApplication(token),
        ]) {
          const outcomes = await Promise.all(numbers(1, 10).map(() => refusal(deletion())));
          expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1);
        }
        expect(await writesOf(token, 'deletion')).toHaveLength(3);
      });

      test('a deleted chat refuses every write below it at once, and other chats of the application accept them', async () => {
        const { token, chat } = await newChat();
        await ledger.createMessages({ token, chat }, contents(['1']));
        await ledger.createChat(token, chatNamed('beside'));
        await ledger.deleteChat({ token, chat });
        expect(await refusal(ledger.createMessages({ token, chat }, contents(['x'])))).toBe('chat_not_found');
        expect(await refusal(ledger.editMessage({ token, chat, number: 1 }, { body: 'x' }))).toBe('chat_not_found');
        expect(await refusal(ledger.deleteMessage({ token, chat, number: 1 }))).toBe('chat_not_found');
        expect(await refusal(ledger.editChat({ token, chat }, { name: 'x' }))).toBe('chat_not_found');
        expect(await refusal(ledger.deleteChat({ token, chat }))).toBe('chat_not_found');
        expect(await refusal(ledger.createMessages({ token, chat: chat + 1 }, contents(['x'])))).toBe('accepted');
      });

      test('a deleted application refuses every write below it', async () => {
        const { token, chat } = await newChat();
        await ledger.createMessages({ token, chat }, contents(['1']));
        await ledger.deleteApplication(token);
        expect(await refusal(ledger.createChat(token, chatNamed(null)))).toBe('application_not_found');
        if (opened.refusesCreatesBelowDeletedApplication === 'once purged')
          await purgeAll((limit) => ledger.purge({ token }, limit), 10);
        expect(await refusal(ledger.createMessages({ token, chat }, contents(['x'])))).toBe('application_not_found');
        expect(await refusal(ledger.editMessage({ token, chat, number: 1 }, { body: 'x' }))).toBe(
          'application_not_found',
        );
        expect(await refusal(ledger.deleteMessage({ token, chat, number: 1 }))).toBe('application_not_found');
        expect(await refusal(ledger.editChat({ token, chat }, { name: 'x' }))).toBe('application_not_found');
        expect(await refusal(ledger.deleteChat({ token, chat }))).toBe('application_not_found');
        expect(await refusal(ledger.editApplication(token, 'x'))).toBe('application_not_found');
        expect(await refusal(ledger.deleteApplication(token))).toBe('application_not_found');
      });
    });

    describe('idempotency keys', () => {
      const creates: [string, (token: string, key: IdempotencyKey) => Promise<unknown>][] = [
        ['an application', (_token, key) => ledger.createApplication('named', { key })],
        ['a chat', (token, key) => ledger.createChat(token, chatNamed(null), { key })],
        ['a message', (token, key) => ledger.createMessages({ token, chat: 1 }, contents(['body']), { key })],
        ['a batch', (token, key) => ledger.createMessages({ token, chat: 1 }, contents(['one', 'two']), { key })],
      ];

      test.for(creates)(
        'creating %s again with the same key returns the first result and queues no further write',
        async ([, create]) => {
          const { token } = await newChat();
          const key = newKey();
          const before = (await opened.writes()).length;
          const first = await create(token, key);
          const written = (await opened.writes()).length - before;
          clock.advance(1_000);
          expect(await create(token, key)).toEqual(first);
          expect(await create(token, newKey())).not.toEqual(first);
          expect((await opened.writes()).length - before).toBe(2 * written);
        },
      );

      test.for(creates)(
        'creating %s with a key that was used with another payload is refused and takes no number',
        async ([, create]) => {
          const { token, chat } = await newChat();
          const key = newKey();
          await create(token, key);
          const counters = await ledger.counters([{ token }, { token, chat }]);
          expect(await refusal(create(token, { ...key, payload: 'another' }))).toBe('idempotency_key_reused');
          expect(await ledger.counters([{ token }, { token, chat }])).toEqual(counters);
        },
      );

      test('20 concurrent requests with one key take one number', async () => {
        const { token, chat } = await newChat();
        const key = newKey();
        const outcomes = await Promise.all(
          numbers(1, 20).map(async () => {
            const created = ledger.createMessages({ token, chat }, contents(['body']), { key });
            const code = await refusal(created);
            return code === 'accepted' ? (await created).first : code;
          }),
        );
        expect(outcomes).toContain(1);
        expect(outcomes.filter((outcome) => outcome !== 1 && outcome !== 'idempotency_in_flight')).toEqual([]);
        expect(await ledger.counters([{ token, chat }])).toEqual([1]);
        expect(await messagesOf(token)).toHaveLength(1);
      });

      test('a key is remembered for 24 hours and then forgotten', async () => {
        const { token, chat } = await newChat();
        const key = newKey();
        await ledger.createMessages({ token, chat }, contents(['body']), { key });
        clock.advance(limits.idempotencyMs - 1);
        expect((await ledger.createMessages({ token, chat }, contents(['body']), { key })).first).toBe(1);
        clock.advance(1);
        expect(
          (await ledger.createMessages({ token, chat }, contents(['another']), { key: { ...key, payload: 'another' } }))
            .first,
        ).toBe(2);
        // From now on the key belongs to the second request.
        expect(
          (await ledger.createMessages({ token, chat }, contents(['another']), { key: { ...key, payload: 'another' } }))
            .first,
        ).toBe(2);
        expect(await refusal(ledger.createMessages({ token, chat }, contents(['body']), { key }))).toBe(
          'idempotency_key_reused',
        );
      });

      test('a refused request does not use up its key', async () => {
        const token = await newApplication();
        const key = newKey();
        expect(await refusal(ledger.createMessages({ token, chat: 1 }, contents(['body']), { key }))).toBe(
          'chat_not_found',
        );
        await ledger.createChat(token, chatNamed(null));
        expect(
          (
            await ledger.createMessages({ token, chat: 1 }, contents(['changed']), {
              key: { ...key, payload: 'changed' },
            })
          ).first,
        ).toBe(1);
      });

      test('each of many concurrent keys gets a number of its own', async () => {
        const { token, chat } = await newChat();
        const given = await Promise.all(
          numbers(1, 50).map(() => ledger.createMessages({ token, chat }, contents(['body']), { key: newKey() })),
        );
        expect(ascending(given.map(({ first }) => first))).toEqual(numbers(1, 50));
      });
    });

    describe('reads', () => {
      test('the ledger returns the name and times of an application or chat until it is deleted', async () => {
        const { token, at } = await ledger.createApplication('application');
        await ledger.createChat(token, chatNamed(null));
        expect(await ledger.application(token)).toEqual({ name: 'application', createdAt: at, updatedAt: at });
        expect(await ledger.chat(token, 1)).toEqual({ ...chatNamed(null), createdAt: at, updatedAt: at });
        clock.advance(7);
        await ledger.editApplication(token, 'renamed');
        await ledger.editChat({ token, chat: 1 }, { name: 'named' });
        expect(await ledger.application(token)).toEqual({ name: 'renamed', createdAt: at, updatedAt: at + 7 });
        expect(await ledger.chat(token, 1)).toEqual({ ...chatNamed('named'), createdAt: at, updatedAt: at + 7 });
        expect(await ledger.chat(token, 2)).toBeUndefined();
        await ledger.createChat(token, chatNamed('second'));
        await ledger.deleteChat({ token, chat: 1 });
        expect(await ledger.chat(token, 1)).toBeUndefined();
        expect(await ledger.chat(token, 2)).toMatchObject({ name: 'second' });
        await ledger.deleteApplication(token);
        expect(await ledger.application(token)).toBeUndefined();
        expect(await ledger.chat(token, 2)).toBeUndefined();
      });

      test('the ledger returns whether a message was accepted and neither it nor its parents were deleted', async () => {
        const { token, chat } = await newChat();
        await ledger.createMessages({ token, chat }, contents(['1', '2']));
        const has = (number: number) => ledger.hasMessage(token, chat, number);
        expect(await has(1)).toBe(true);
        expect(await has(3)).toBe(false);
        expect(await has(Number.MAX_SAFE_INTEGER)).toBe(false);
        expect(await ledger.hasMessage(token, chat + 1, 1)).toBe(false);
        await ledger.editMessage({ token, chat, number: 1 }, { body: 'edited' });
        expect(await has(1)).toBe(true);
        await ledger.deleteMessage({ token, chat, number: 1 });
        expect(await has(1)).toBe(false);
        expect(await has(2)).toBe(true);
        await ledger.deleteChat({ token, chat });
        expect(await has(2)).toBe(false);
      });

      test('no message of a deleted application is readable', async () => {
        const { token, chat } = await newChat();
        await ledger.createMessages({ token, chat }, contents(['1']));
        await ledger.deleteApplication(token);
        expect(await ledger.hasMessage(token, chat, 1)).toBe(false);
      });

      test('counters are returned in the requested order, with undefined for those that do not exist', async () => {
        const { token, chat } = await newChat();
        await ledger.createChat(token, chatNamed(null));
        await ledger.createMessages({ token, chat }, contents(['1', '2', '3']));
        await ledger.deleteMessage({ token, chat, number: 3 });
        const asked = [
          { token, chat },
          { token: 'unknown' },
          { token },
          { token, chat: 99 },
          { token, chat: chat + 1 },
        ];
        expect(await ledger.counters(asked)).toEqual([3, undefined, 2, undefined, 0]);
        expect(await ledger.counters([])).toEqual([]);
        const many = numbers(1, limits.rollupMarks).map((i) => (i % 2 ? { token } : { token, chat }));
        expect(await ledger.counters(many)).toEqual(many.map((_, i) => (i % 2 ? 3 : 2)));
      });
    });

    describe('access generations', () => {
      const raised = async (token: string) => {
        await ledger.raiseAccessGeneration(token);
        return (await ledger.accessGeneration(token)) as number;
      };

      test('an application has access generation 0 until it is raised, and each raise makes it higher', async () => {
        const token = await newApplication();
        expect(await ledger.accessGeneration(token)).toBe(0);
        const first = await raised(token);
        expect(first).toBe(clock());
        // First the clock stands still. Then it is behind, like the clock of another machine.
        const [second, third] = [await raised(token), await raised(token)];
        clock.advance(-1_000);
        const fourth = await raised(token);
        expect([second, third, fourth]).toEqual([first + 1, first + 2, first + 3]);
        clock.advance(3_600_000);
        expect(await raised(token)).toBe(clock());
        expect(await ledger.accessGeneration(await newApplication())).toBe(0);
      });

      test('concurrent raises of an access generation all count', async () => {
        const token = await newApplication();
        await Promise.all(numbers(1, 5).map(() => ledger.raiseAccessGeneration(token)));
        expect(await ledger.accessGeneration(token)).toBe(clock() + 4);
      });

      test('edits and creates keep the access generation, and raising it sends no write to the store', async () => {
        const { token, chat } = await newChat();
        const generation = await raised(token);
        const before = (await opened.writes()).length;
        await ledger.raiseAccessGeneration(token);
        expect(await opened.writes()).toHaveLength(before);
        await ledger.editApplication(token, 'renamed');
        await ledger.createChat(token, chatNamed(null), { key: newKey() });
        await ledger.createMessages({ token, chat }, contents(['1']));
        expect(await ledger.accessGeneration(token)).toBe(generation + 1);
        expect(await ledger.application(token)).toMatchObject({ name: 'renamed' });
      });

      test('an unknown or deleted application has no access generation, and it cannot be raised', async () => {
        const token = await newApplication();
        await ledger.deleteApplication(token);
        for (const gone of [token, 'unknown']) {
          expect(await ledger.accessGeneration(gone)).toBeUndefined();
          expect(await refusal(ledger.raiseAccessGeneration(gone))).toBe('application_not_found');
        }
      });

      test('the access generation is still there after a restart', async () => {
        const token = await newApplication();
        const generation = await raised(token);
        opened = await opened.reopen();
        ledger = opened.ledger;
        expect(await ledger.accessGeneration(token)).toBe(generation);
      });
    });

    describe('purging', () => {
      test('the purge removes the entries below a deleted chat in steps, and the chat still refuses writes', async () => {
        const { token, chat } = await newChat();
        await ledger.createMessages({ token, chat }, contents(['1', '2', '3', '4']));
        for (const number of [1, 2, 3]) await ledger.editMessage({ token, chat, number }, { body: 'edited' });
        const { number: beside } = await ledger.createChat(token, chatNamed(null));
        await ledger.createMessages({ token, chat: beside }, contents(['1']));
        await ledger.deleteMessage({ token, chat: beside, number: 1 });
        await ledger.deleteChat({ token, chat });
        expect(await purgeAll((limit) => ledger.purge({ token, chat }, limit), 2)).toBe(3);
        expect(await refusal(ledger.createMessages({ token, chat }, contents(['x'])))).toBe('chat_not_found');
        expect(await ledger.hasMessage(token, chat, 4)).toBe(false);
        expect(await ledger.counters([{ token }])).toEqual([2]);
        // The other chats keep their entries, including those of their deleted messages.
        expect(await refusal(ledger.editMessage({ token, chat: beside, number: 1 }, { body: 'x' }))).toBe(
          'message_not_found',
        );
        expect((await ledger.createMessages({ token, chat: beside }, contents(['2']))).first).toBe(2);
      });

      test('the purge removes the entries below a deleted application in steps, and the application still refuses writes', async () => {
        const token = await newApplication();
        for (const chat of [1, 2, 3]) {
          await ledger.createChat(token, chatNamed(null));
          await ledger.createMessages({ token, chat }, contents(['1']));
          await ledger.editMessage({ token, chat, number: 1 }, { body: 'edited' });
        }
        await ledger.deleteApplication(token);
        expect(await purgeAll((limit) => ledger.purge({ token }, limit), 2)).toBe(6);
        expect(await ledger.counters([{ token, chat: 1 }])).toEqual([undefined]);
        expect(await refusal(ledger.createChat(token, chatNamed(null)))).toBe('application_not_found');
        expect(await refusal(ledger.createMessages({ token, chat: 1 }, contents(['x'])))).toBe('application_not_found');
        expect(await ledger.application(token)).toBeUndefined();
      });
    });

    test('a restart keeps everything that was acknowledged', async () => {
      const { token, chat } = await newChat();
      const key = newKey();
      await ledger.createMessages({ token, chat }, contents(['1', '2', '3']), { key });
      await ledger.editMessage({ token, chat, number: 1 }, { body: 'edited' });
      await ledger.deleteMessage({ token, chat, number: 2 });
      const { number: deleted } = await ledger.createChat(token, chatNamed(null));
      await ledger.deleteChat({ token, chat: deleted });
      opened = await opened.reopen();
      ledger = opened.ledger;

      expect(await messagesOf(token)).toHaveLength(4);
      expect(await writesOf(token, 'deletion')).toHaveLength(2);
      expect((await ledger.createMessages({ token, chat }, contents(['1', '2', '3']), { key })).first).toBe(1);
      expect((await ledger.createMessages({ token, chat }, contents(['4']))).first).toBe(4);
      expect(await refusal(ledger.editMessage({ token, chat, number: 2 }, { body: 'late' }))).toBe('message_not_found');
      expect(await refusal(ledger.createMessages({ token, chat: deleted }, contents(['late'])))).toBe('chat_not_found');
      await ledger.editMessage({ token, chat, number: 1 }, { body: 'edited again' });
      expect(await messagesOf(token)).toContainEqual({ chat, number: 1, revision: 2, body: 'edited again' });
    });
  });
}
