import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { listMessages } from '../../functions/api/list-messages.ts';
import type { Services } from '../../functions/runtime/services.ts';
import { TooLong } from '../../lib/model/errors.ts';
import { newToken } from '../../lib/model/token.ts';
import { storeMigrations } from '../../lib/store/sqlite/schema.ts';
import { ShortPages } from '../../lib/store/sqlite/short-pages.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { requestContext } from '../../local/lambda-events.ts';
import { shortReads } from '../../local/short-reads.ts';
import { noAccess } from '../support/client/access.ts';
import { apiEvent } from '../support/client/api-event.ts';
import { testCursors } from '../support/client/cursors.ts';
import { applicationWrite, chatWrite, deletionWrite, messageWrite, numbers } from '../support/histories/writes.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

describe('short pages of messages', () => {
  let file: SqliteFile;
  let store: SqliteStore;
  let short: ShortPages;
  beforeEach(async () => {
    file = await openSqliteFile({ store: storeMigrations });
    store = new SqliteStore(file.database);
    short = new ShortPages(file.database);
  });
  afterEach(() => file.remove());

  const newChat = async () => {
    const token = newToken();
    await store.merge([applicationWrite(token), chatWrite(token, 1)]);
    return token;
  };
  const first = { order: 'asc', limit: 50 } as const;

  test('a short page is the page that the store returns without bounds', async () => {
    // Numbers up to 2,300, so that some pages would have to search more than 1,000 numbers.
    const cases = fc.record({
      stored: fc.uniqueArray(fc.integer({ min: 1, max: 2_300 }), { minLength: 1, maxLength: 30 }),
      order: fc.constantFrom('asc' as const, 'desc' as const),
      limit: fc.integer({ min: 1, max: 8 }),
      after: fc.option(fc.nat(2_300), { nil: undefined }),
      before: fc.option(fc.nat(2_300), { nil: undefined }),
    });
    const seen = { pages: 0, tooLong: 0 };
    await fc.assert(
      fc.asyncProperty(cases, async ({ stored, ...range }) => {
        const token = await newChat();
        await store.merge(stored.map((number) => messageWrite(token, 1, number)));
        await store.merge(stored.filter((number) => number % 5 === 0).map((number) => deletionWrite(token, 1, number)));
        for (const list of ['messages', 'existingMessages'] as const) {
          const page = await short[list](token, 1, range).catch((error: unknown) => error);
          if (page instanceof TooLong) seen.tooLong++;
          else expect(page).toEqual(await store[list](token, 1, range));
          seen.pages++;
        }
      }),
      { numRuns: 300 },
    );
    expect(seen.tooLong).toBeGreaterThan(0);
    expect(seen.tooLong).toBeLessThan(seen.pages / 2);
  });

  test('a short page of existing messages is empty unless the chat and its application are stored and not deleted', async () => {
    const token = newToken();
    const both = async () => [
      (await short.existingMessages(token, 1, first)).rows.length,
      (await short.messages(token, 1, first)).rows.length,
    ];
    await store.merge([messageWrite(token, 1, 1), chatWrite(token, 1)]);
    expect(await both()).toEqual([0, 1]);
    await store.merge([applicationWrite(token)]);
    expect(await both()).toEqual([1, 1]);
    await store.merge([deletionWrite(token)]);
    expect(await both()).toEqual([0, 1]);

    const other = await newChat();
    await store.merge([messageWrite(other, 1, 1), chatWrite(other, 2, { revision: 1 }), messageWrite(other, 2, 1)]);
    expect((await short.existingMessages(other, 2, first)).rows).toEqual([]);
    expect((await short.existingMessages(other, 1, first)).rows).toHaveLength(1);
    await store.merge([deletionWrite(other, 1)]);
    expect((await short.existingMessages(other, 1, first)).rows).toEqual([]);
  });

  test('a page beyond one of the bounds is not read', async () => {
    const token = await newChat();
    await store.merge(numbers(1, 100).map((number) => messageWrite(token, 1, number, { body: 'x'.repeat(655) })));
    expect((await short.existingMessages(token, 1, { ...first, limit: 100 })).rows).toHaveLength(100);
    await expect(short.existingMessages(token, 1, { ...first, limit: 101 })).rejects.toThrow(TooLong);
    // 100 texts have 65,500 bytes; with 40 more, they have more than 65,536.
    await store.merge([messageWrite(token, 1, 7, { revision: 1, body: '\u00e9'.repeat(655 / 2 + 20) })]);
    await expect(short.existingMessages(token, 1, { ...first, limit: 100 })).rejects.toThrow(TooLong);

    const other = await newChat();
    await store.merge([messageWrite(other, 1, 1, { body: 'x'.repeat(4_096) })]);
    expect((await short.existingMessages(other, 1, first)).rows).toHaveLength(1);
    await store.merge([messageWrite(other, 1, 1, { revision: 1, body: 'x'.repeat(4_097) })]);
    await expect(short.existingMessages(other, 1, first)).rejects.toThrow(TooLong);

    const range = { token, chat: 1, from: 1, to: 1_001 };
    await expect(short.missingNumbers(range, { max: 1 })).resolves.toEqual([101]);
    await expect(short.missingNumbers({ ...range, to: 1_002 }, { max: 1 })).rejects.toThrow(TooLong);
  });

  test('a page behind 1,001 deleted messages is not searched', async () => {
    const token = await newChat();
    await store.merge(numbers(1, 1_002).map((number) => messageWrite(token, 1, number)));
    await store.merge(numbers(1, 1_000).map((number) => deletionWrite(token, 1, number)));
    await store.merge([deletionWrite(token, 1, 1_001)]);
    for (const range of [first, { ...first, order: 'desc', before: 1_002 } as const])
      await expect(short.existingMessages(token, 1, range)).rejects.toThrow(TooLong);
    expect((await short.existingMessages(token, 1, { ...first, after: 2 })).rows).toMatchObject([{ number: 1_002 }]);
  });

  test('a short page is read here, and a long one by the other handler with the same event', async () => {
    const token = await newChat();
    await store.merge(numbers(1, 3).map((number) => messageWrite(token, 1, number)));
    const services = { ledger: {}, cursors: testCursors(), access: noAccess } as unknown as Services;
    const given: unknown[] = [];
    const inReader = listMessages({ ...services, store });
    const elsewhere = vi.fn<typeof inReader>((event, context) => {
      given.push(structuredClone(event));
      return inReader(event, context);
    });
    const handler = shortReads(listMessages({ ...services, store: short }), elsewhere);
    let sent: unknown;
    const read = async (limit: string) => {
      const event = apiEvent('listMessages', { params: { token }, query: { limit }, headers: { 'X-Own': '1' } });
      sent = structuredClone(event);
      const { statusCode, body } = await handler(event, requestContext('listMessages', 'id'));
      return { statusCode, numbers: JSON.parse(body).data?.map(({ number }: { number: number }) => number) };
    };
    expect(await read('2')).toEqual({ statusCode: 200, numbers: [1, 2] });
    expect(await read('0')).toMatchObject({ statusCode: 422 });
    expect(elsewhere).not.toHaveBeenCalled();
    expect(await read('500')).toEqual({ statusCode: 200, numbers: [1, 2, 3] });
    expect(given).toEqual([sent]);
  });
});
