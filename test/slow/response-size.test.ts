import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMessages } from '../../functions/api/create-messages.ts';
import { getMessage } from '../../functions/api/get-message.ts';
import { listApplicationChanges } from '../../functions/api/list-application-changes.ts';
import { listApplications } from '../../functions/api/list-applications.ts';
import { listChatChanges } from '../../functions/api/list-chat-changes.ts';
import { listChats } from '../../functions/api/list-chats.ts';
import { listMessages } from '../../functions/api/list-messages.ts';
import { searchApplication } from '../../functions/api/search-application.ts';
import { searchChat } from '../../functions/api/search-chat.ts';
import type { HttpHandler } from '../../functions/runtime/http/operation.ts';
import type { Services } from '../../functions/runtime/services.ts';
import type { OperationId } from '../../lib/api/routes.ts';
import { limits } from '../../lib/limits.ts';
import { lambdaContext } from '../../local/lambda-events.ts';
import { apiEvent, type RequestParts } from '../support/client/api-event.ts';
import { testCursors } from '../support/client/cursors.ts';
import { numbers } from '../support/histories/writes.ts';

/** The most bytes of a response that Lambda accepts from a function. */
const lambdaLimit = 6_291_556;

const long = (piece: string) => piece.repeat(Math.ceil(10_000 / piece.length)).slice(0, 10_000);
/** Bodies of the greatest length that grow when they are written as JSON, and once more in a function's response. */
const bodies: Record<string, string> = {
  quotes: long('"'),
  backslashes: long('\\'),
  'line ends': long('x\r\n'),
  tabs: `x${'\t'.repeat(9_999)}`,
  'control characters': `x${'\u0001'.repeat(9_999)}`,
  'line separators': `x${'\u2028'.repeat(9_999)}`,
  'quoted cells': long('"a","b"\r\n'),
  'JSON in JSON': long(JSON.stringify(JSON.stringify({ name: 'a "quoted" name' }))),
  emoji: '\u{1F600}'.repeat(10_000),
  'plain text': long('plain text '),
};

/** Members of the greatest size that grow like the bodies. */
const [sender, metadata] = ['"'.repeat(255), JSON.stringify({ k: '"'.repeat(2_040) })];
const message = (number: number, body: string, members = { sender, metadata }) => ({
  number,
  content: { ...members, body },
  createdAt: number,
  updatedAt: number,
});
const servicesWith = (body: string, members = { sender, metadata }) => {
  const stored = numbers(1, 1_001).map((number) => message(number, body, members));
  const page = <Item>(items: Item[], limit: number) => ({ rows: items.slice(0, limit), more: items.length > limit });
  return {
    store: {
      application: async (token: string) => ({ token, name: 'x', chatsCount: 1, createdAt: 0, updatedAt: 0 }),
      chat: async () => ({ number: 1, name: 'x', metadata: null, messagesCount: 1, createdAt: 0, updatedAt: 0 }),
      existingMessage: async () => stored[0],
      applications: async ({ limit }: { limit: number }) =>
        page(
          stored.map((one) => ({ ...one, token: 'x'.repeat(22), name: body.slice(0, 255), chatsCount: 0 })),
          limit,
        ),
      existingMessages: async (_token: string, _chat: number, { limit }: { limit: number }) => page(stored, limit),
      chats: async (_token: string, { limit }: { limit: number }) =>
        page(
          stored.map((one) => ({ ...one, ...members, name: body.slice(0, 255), messagesCount: 0 })),
          limit,
        ),
      version: async () => 9,
      messageChanges: async (_chat: unknown, { limit }: { limit: number }) => ({
        changes: stored
          .slice(0, limit)
          .map((one) => ({ version: 9, number: one.number, type: 'created', stored: one })),
        next: 9,
      }),
      chatChanges: async (_token: string, { limit }: { limit: number }) => ({
        changes: stored.slice(0, limit).map((one) => {
          const state = { ...one, ...members, name: body.slice(0, 255) };
          return { version: 9, number: one.number, type: 'created', stored: state };
        }),
        next: 9,
      }),
      // The most numbers that a page of messages can name.
      missingNumbers: async () => numbers(4_294_000_000, 4_294_000_000 + limits.pendingNumbers - 1),
      existingChats: async (_token: string, chats: number[]) => new Set(chats),
    },
    searchIndex: {
      search: async ({ limit }: { limit: number }) => ({
        matches: stored.slice(0, limit).map((one) => ({ ...one, chat: 1 })),
        more: true,
        total: 10_000,
        totalIsMinimum: true,
      }),
    },
    ledger: { createMessages: async () => ({ first: 4_294_000_000, at: 0 }) },
    cursors: testCursors(),
  } as unknown as Services;
};

/** Returns the response of a handler, and its size as Lambda sends it. */
async function sent(handler: HttpHandler, id: OperationId, parts: RequestParts) {
  const result = await handler(apiEvent(id, parts), lambdaContext('test'));
  const page: { data?: unknown[]; next?: string | null } = JSON.parse(result.body);
  return { status: result.statusCode, bytes: Buffer.byteLength(JSON.stringify(result)), page };
}

describe.each(Object.entries(bodies))('with bodies of %s', (_what, body) => {
  const services = servicesWith(body);

  test.each([1, 100, 130, 1_000])('a page of up to %i messages fits into the response of a function', async (limit) => {
    const { bytes, page } = await sent(listMessages(services), 'listMessages', { query: { limit: `${limit}` } });
    expect(bytes).toBeLessThan(lambdaLimit);
    // A page does not end earlier than it must.
    if (page.data?.length !== limit) expect(bytes).toBeGreaterThan(3_900_000);
    expect(page.data?.length).toBeGreaterThan(0);
    expect(page.next).toEqual(expect.any(String));
  });

  test.each([1, 30, 100])(
    'a page of up to %i matches fits into the response of a function, whatever is highlighted',
    async (limit) => {
      const q = [...body].at(-1) as string;
      for (const [id, search] of [
        ['searchChat', searchChat],
        ['searchApplication', searchApplication],
      ] as const) {
        const { bytes, page } = await sent(search(services), id, { query: { q, limit: `${limit}` } });
        expect(bytes).toBeLessThan(lambdaLimit);
        if (page.data?.length !== limit) expect(bytes).toBeGreaterThan(3_750_000);
        expect(page.next).toEqual(expect.any(String));
      }
    },
  );

  test('a page of chats and a single message fit into the response of a function', async () => {
    const chats = await sent(listChats(services), 'listChats', { query: { limit: '1000' } });
    const one = await sent(getMessage(services), 'getMessage', {});
    expect(Math.max(chats.bytes, one.bytes)).toBeLessThan(lambdaLimit);
    // The metadata of 1,000 chats is too long for one page.
    expect(chats.page.data?.length).toBeLessThan(1_000);
    expect(chats.bytes).toBeGreaterThan(3_900_000);
  });

  test('a page of changes fits into the response of a function, and does not end earlier than it must', async () => {
    for (const [id, list] of [
      ['listChatChanges', listChatChanges],
      ['listApplicationChanges', listApplicationChanges],
    ] as const) {
      const { bytes } = await sent(list(services), id, { query: { after: '0', limit: '1000' } });
      expect(bytes).toBeLessThan(lambdaLimit);
      expect(bytes).toBeGreaterThan(3_900_000);
    }
  });

  test('the response to the largest batch fits into the response of a function', async () => {
    // As many of these bodies as a request of 1 MiB holds, at most 1,000, and each as long as it may be.
    const overhead = Buffer.byteLength('{"messages":[]}');
    const ofOne = Buffer.byteLength(`${JSON.stringify({ body })},`);
    const longest = Math.floor((limits.requestBytes - overhead) / ofOne);
    const short = [...body]
      .slice(0, Math.floor(([...body].length * (limits.requestBytes / 1_000 - 20)) / ofOne))
      .join('');
    for (const messages of [
      Array.from({ length: longest }, () => ({ body })),
      Array.from({ length: limits.batchSize }, () => ({ body: short })),
    ]) {
      const request = JSON.stringify({ messages });
      expect(Buffer.byteLength(request)).toBeGreaterThan(0.9 * limits.requestBytes);
      const { status, bytes } = await sent(createMessages(services), 'createMessages', { body: request });
      expect(status).toBe(201);
      expect(bytes).toBeLessThan(lambdaLimit);
    }
  });
});

describe('whatever clients have written', () => {
  /** Characters of every growth: of 1 to 4 bytes, doubled or escaped with 6 bytes by JSON, and escaped by HTML. */
  const piece = fc
    .array(fc.constantFrom(...'"\\\n\t\r\b\u0001\u001f\u007f\u2028<&\'> aé€\u{1F600}'), { minLength: 1, maxLength: 6 })
    .map((characters) => characters.join(''));
  /** A text that is not blank. */
  const textOf = (most: number) =>
    fc
      .tuple(piece, fc.oneof(fc.constant(most), fc.integer({ min: 1, max: most })))
      .map(([each, length]) => ['x', ...each.repeat(length)].slice(0, length).join(''));
  /** JSON of up to the permitted size, in one long text or in very many values. */
  const metadataText = fc
    .oneof(
      textOf(4_096).map((text) => ({ k: text })),
      piece.map((text) => Object.fromEntries(numbers(1, 400).map((n) => [`${text}${n}`, []]))),
      fc.constant({ k: Array(186).fill(1e20) }),
    )
    .map((value) => JSON.stringify(value))
    .filter((text) => Buffer.byteLength(text) <= limits.metadataBytes);
  const changes = { listChatChanges, listApplicationChanges };
  const lists = { listMessages, listChats, listApplications, searchChat, searchApplication, ...changes };
  const pages = fc.record({
    id: fc.constantFrom(...(Object.keys(lists) as (keyof typeof lists)[])),
    limit: fc.oneof(fc.constant(limits.page.max), fc.integer({ min: 1, max: limits.page.max })),
    body: textOf(limits.bodyLength),
    sender: textOf(limits.nameLength),
    metadata: metadataText,
  });

  test('a page of any size fits into the response of a function', async () => {
    await fc.assert(
      fc.asyncProperty(pages, async ({ id, limit, body, ...members }) => {
        const isSearch = id.startsWith('search');
        const query = isSearch
          ? { q: [...body].at(-1) as string, limit: `${Math.ceil(limit / 10)}` }
          : { limit: `${limit}`, ...(id in changes && { after: '0' }) };
        const list = lists[id] as (services: Services) => HttpHandler;
        const { status, bytes, page } = await sent(list(servicesWith(body, members)), id, { query });
        expect(status).toBe(200);
        expect(bytes).toBeLessThanOrEqual(lambdaLimit);
        expect(page.data?.length).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });

  test('the response to a batch of any messages fits into the response of a function', async () => {
    const messages = fc.record({
      body: textOf(limits.bodyLength),
      sender: textOf(limits.nameLength),
      metadata: metadataText,
    });
    await fc.assert(
      fc.asyncProperty(messages, async ({ metadata: text, ...content }) => {
        // As many of these messages as a request may have.
        const each = `${JSON.stringify(content).slice(0, -1)},"metadata":${text.replaceAll('100000000000000000000', '1e20')}}`;
        const most = Math.floor((limits.requestBytes - 20) / (Buffer.byteLength(each) + 1));
        const values = 4 + each.split(/[,[{]/).length;
        const count = Math.min(limits.batchSize, most, Math.floor(limits.bodyValues / values));
        const body = `{"messages":[${Array(count).fill(each).join(',')}]}`;
        const { status, bytes } = await sent(createMessages(servicesWith('x')), 'createMessages', { body });
        expect(status).toBe(201);
        expect(bytes).toBeLessThanOrEqual(lambdaLimit);
      }),
      { numRuns: 40 },
    );
  });
});

test('a page that gzip cannot make smaller fits into the response of a function in Base64', async () => {
  const random = randomBytes(30_000);
  // These characters take three bytes each in UTF-8, with as many random bits as such characters can have.
  const body = Array.from({ length: 10_000 }, (_, i) =>
    String.fromCharCode(0x0800 + (random.readUInt16BE(2 * i) % 0xc000)),
  ).join('');
  const services = servicesWith(body);
  services.store.messages = async (_token, _chat, { limit }) => ({
    // No two bodies have a part in common that is long enough for gzip.
    rows: numbers(1, limit).map((number) => message(number, [...body].sort(() => Math.random() - 0.5).join(''))),
    more: true,
  });
  const query = { limit: '130' };
  const headers = { Accept: '*/*', 'Accept-Encoding': 'gzip' };
  const result = await listMessages(services)(apiEvent('listMessages', { query, headers }), lambdaContext('test'));
  expect(result.headers).toMatchObject({ 'content-encoding': 'gzip' });
  const bytes = Buffer.byteLength(JSON.stringify(result));
  expect(bytes).toBeLessThan(lambdaLimit);
  expect(bytes).toBeGreaterThan(3_000_000);
});
