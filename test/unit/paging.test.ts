import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listApplications } from '../../functions/api/list-applications.ts';
import { listMessages } from '../../functions/api/list-messages.ts';
import { searchApplication } from '../../functions/api/search-application.ts';
import { searchChat } from '../../functions/api/search-chat.ts';
import { fitting } from '../../functions/api/shared/pages.ts';
import type { Services } from '../../functions/runtime/services.ts';
import { limits } from '../../lib/limits.ts';
import { newToken } from '../../lib/model/token.ts';
import { allPages } from '../support/client/all-pages.ts';
import { type Answered, answer, apiEvent } from '../support/client/api-event.ts';
import { testCursors } from '../support/client/cursors.ts';
import {
  applicationWrite,
  chatWrite,
  indexed,
  messageWrite,
  messageWrites,
  numbers,
} from '../support/histories/writes.ts';
import { openWorkerServices, type TestServices } from '../support/servers/worker-services.ts';

interface Page {
  data: { number: number }[];
  next: string | null;
  pending: number[];
}

describe('the pages of a list', () => {
  const token = newToken();
  let opened: TestServices;
  let services: Services;
  beforeEach(async () => {
    opened = await openWorkerServices();
    services = { ...opened.services, ledger: {}, cursors: testCursors() } as unknown as Services;
  });
  afterEach(() => opened.file.remove());

  const cursorOf = (last: { next?: unknown } | undefined) => (last ? { cursor: String(last.next) } : {});
  /** Returns all pages of a chat's messages, following `next`. */
  const pagesOf = async (token: string, query: Record<string, string>) => {
    const pages = await allPages(
      async (last: Page | undefined) => {
        const parts = { params: { token }, query: { ...query, ...cursorOf(last) } };
        const { status, headers, json } = await answer(listMessages(services), apiEvent('listMessages', parts));
        expect(status).toBe(200);
        const page = json as unknown as Page;
        // The link has the same target as `next`.
        const link = /<(.*)>; rel="next"/.exec(headers.link ?? '')?.[1];
        expect(link ?? null).toBe(page.next && `?${new URLSearchParams({ ...query, cursor: page.next })}`);
        return page;
      },
      ({ next }) => next !== null,
    );
    return {
      pages,
      listed: pages.flatMap(({ data }) => data.map(({ number }) => number)),
      pending: pages.flatMap((page) => page.pending),
    };
  };

  test('pages hold every message once in order, and name every number between them that is not stored yet', async () => {
    const cases = fc.record({
      stored: fc.subarray(numbers(1, 20), { minLength: 1 }),
      limit: fc.integer({ min: 1, max: 8 }),
      order: fc.constantFrom('asc', 'desc'),
      after: fc.option(fc.nat(22), { nil: undefined }),
      before: fc.option(fc.nat(22), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ stored, limit, order, after, before }) => {
        const token = newToken();
        await services.store.merge([chatWrite(token, 1), ...stored.map((number) => messageWrite(token, 1, number))]);
        const filters = {
          ...(after !== undefined && { after: `${after}` }),
          ...(before !== undefined && { before: `${before}` }),
        };
        const { listed, pending } = await pagesOf(token, { limit: `${limit}`, order, ...filters });
        const wanted = stored.filter(
          (number) => number > (after ?? 0) && number < (before ?? Number.POSITIVE_INFINITY),
        );
        const inOrder = order === 'asc' ? wanted : wanted.toReversed();
        expect(listed).toEqual(inOrder);
        // A page starts at the given lower bound or, in descending order, at the first message.
        const [lowest = 1, highest = 0] = [wanted[0], wanted.at(-1)];
        const first = order === 'asc' ? (after ?? 0) + 1 : lowest;
        const missing = numbers(first, highest).filter((number) => !stored.includes(number));
        expect(pending).toEqual(order === 'asc' ? missing : missing.toReversed());
      }),
      { numRuns: 100 },
    );
  });

  test('a page ends early rather than name very many missing numbers, and the next page continues there', async () => {
    const highest = 2 * limits.pendingNumbers + 500;
    await services.store.merge([chatWrite(token, 1), messageWrite(token, 1, 1), messageWrite(token, 1, highest)]);
    for (const order of ['asc', 'desc']) {
      const { pages, listed, pending } = await pagesOf(token, { order });
      for (const page of pages) expect(page.pending.length).toBeLessThanOrEqual(limits.pendingNumbers);
      expect(listed.sort((a, b) => a - b)).toEqual([1, highest]);
      expect(pending.sort((a, b) => a - b)).toEqual(numbers(2, highest - 1));
    }
  });

  test('a page ends early rather than exceed the response size of a function, and the next page continues there', async () => {
    // A quote takes two bytes of JSON, and four in the response of a function, which contains the JSON as a string.
    const body = '"'.repeat(10_000);
    await services.store.merge([
      chatWrite(token, 1),
      ...numbers(1, 150).map((number) => messageWrite(token, 1, number, { body })),
    ]);
    const { pages, listed } = await pagesOf(token, { limit: '150' });
    expect(pages.length).toBeGreaterThan(1);
    expect(listed).toEqual(numbers(1, 150));
  });

  test('pages of a search end early too, and still hold every match once', async () => {
    // In HTML each of the characters becomes a match of 15 characters.
    const body = '"'.repeat(10_000);
    await services.store.merge([applicationWrite(token), chatWrite(token, 1)]);
    await services.searchIndex.index(
      numbers(1, 60).map((number) => ({
        token,
        chat: 1,
        number,
        ...indexed(body),
        createdAt: number,
        updatedAt: number,
      })),
    );
    for (const [id, handler] of [
      ['searchChat', searchChat(services)],
      ['searchApplication', searchApplication(services)],
    ] as const) {
      const pages = await allPages(
        async (last: Answered | undefined) => {
          const query = { q: '"', limit: '60', ...cursorOf(last?.json) };
          return answer(handler, apiEvent(id, { params: { token }, query }));
        },
        ({ json }) => json.next !== null,
      );
      for (const { json } of pages) {
        expect(json.total).toBe(60);
      }
      const found = pages.flatMap(({ json }) => (json.data as { number: number }[]).map(({ number }) => number));
      expect(found).toEqual(numbers(1, 60).reverse());
    }
  });

  test('a cursor is refused by every other list', async () => {
    await services.store.merge([
      chatWrite(token, 1),
      chatWrite(token, 2),
      ...messageWrites(token, 1, 1, 3),
      ...messageWrites(token, 2, 1, 3),
    ]);
    const first = await answer(
      listMessages(services),
      apiEvent('listMessages', { params: { token }, query: { limit: '1' } }),
    );
    const cursor = String(first.json.next);
    const again = async (params: Record<string, string>, query: Record<string, string>) =>
      (
        await answer(
          listMessages(services),
          apiEvent('listMessages', { params: { token, ...params }, query: { cursor, ...query } }),
        )
      ).status;
    expect(await again({}, {})).toBe(200);
    // A page of another size belongs to the same list.
    expect(await again({}, { limit: '2' })).toBe(200);
    expect(await again({}, { order: 'desc' })).toBe(422);
    expect(await again({}, { after: '0' })).toBe(422);
    expect(await again({}, { before: '9' })).toBe(422);
    expect(await again({ chat_number: '2' }, {})).toBe(422);
    expect(await again({ token: newToken() }, {})).toBe(422);
  });

  test('pages hold every application once in the order of creation, even those created at the same time', async () => {
    const tokens = numbers(1, 9).map((i) => `${String(i).padStart(21, 't')}A`);
    await services.store.merge(tokens.map((token, i) => applicationWrite(token, { at: Math.floor(i / 3) })));
    for (const order of ['asc', 'desc']) {
      const pages = await allPages(
        async (last: Answered | undefined) => {
          const query = { limit: '2', order, ...cursorOf(last?.json) };
          return answer(listApplications(services), apiEvent('listApplications', { query }));
        },
        ({ json }) => json.next !== null,
      );
      const listed = pages.flatMap(({ json }) => (json.data as { token: string }[]).map(({ token }) => token));
      expect(listed).toEqual(order === 'asc' ? tokens : tokens.toReversed());
    }
  });
});

test('a page has as many items as fit, whatever their texts need as JSON in a JSON string', () => {
  const text = fc.constantFrom('a', '"', '\\', '\u0001', '\u00e9', '\u2028', '\u{1F600}', '\ud800');
  const name = 'name "\u0001';
  const item = fc.record({
    [name]: text,
    nested: fc.record({ list: fc.array(fc.constantFrom(1, null, -1.5e-7)) }),
  });
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 8 }), fc.boolean(), (items, more) => {
      // Texts of 0.1 to 2 MB, so that some pages are full.
      const viewOf = (each: (typeof items)[number]) => ({ ...each, text: each[name]?.repeat(300_000) });
      let bytes = 0;
      let fit = 0;
      for (const each of items) {
        bytes += Buffer.byteLength(JSON.stringify(JSON.stringify(viewOf(each))));
        if (bytes > limits.pageBytes && fit > 0) break;
        fit++;
      }
      const page = fitting(items, more, viewOf);
      expect(page.items).toEqual(items.slice(0, fit));
      expect(page.views).toHaveLength(fit);
      expect(page.more).toBe(more || fit < items.length);
    }),
    { numRuns: 15 },
  );
});
