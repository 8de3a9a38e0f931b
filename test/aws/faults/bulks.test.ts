import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { setLogLevel } from '../../../functions/runtime/observe/log.ts';
import { searchWorker } from '../../../functions/workers/search.ts';
import { limits } from '../../../lib/limits.ts';
import { blankContent } from '../../../lib/model/content.ts';
import { encodeChanges } from '../../../lib/queue/records.ts';
import { openOpensearch } from '../../../lib/search/opensearch/client.ts';
import { OpensearchIndex } from '../../../lib/search/opensearch/opensearch-index.ts';
import { noRevisions, RefusedDocuments, type SearchDocument } from '../../../lib/search/search-index.ts';
import type { MergedMessage } from '../../../lib/store/merging.ts';
import type { Store } from '../../../lib/store/store.ts';
import { indexed, numbers } from '../../support/histories/writes.ts';
import { deliver } from '../../support/servers/batch.ts';
import { newAlias, newIndex, openRefusingOpensearch } from '../../support/servers/opensearch-index.ts';

setLogLevel('silent');

const document = (number: number, more: Partial<SearchDocument> = {}): SearchDocument => ({
  token: 'token',
  chat: 1,
  number,
  ...indexed(`message ${number}`),
  createdAt: number,
  updatedAt: number,
  ...more,
});
/** The value exceeds the range of a `long`, so OpenSearch cannot parse the document. */
const unreadable = { createdAt: 1e300 };

describe('a bulk request', () => {
  let made: Awaited<ReturnType<typeof newIndex>>;
  let index: OpensearchIndex;
  beforeAll(async () => {
    made = await newIndex();
    index = new OpensearchIndex(made.client, made.alias);
  });
  afterAll(() => made.remove());

  const found = async (q: string, chat: number) => {
    await made.client.indices.refresh({ index: made.alias });
    return (await index.search({ token: 'token', chat, q, limit: 100 })).matches.map(({ number }) => number);
  };
  async function openRefusing() {
    const refusing = await openRefusingOpensearch();
    const client = openOpensearch(refusing.url);
    onTestFinished(async () => {
      await client.close();
      await refusing.close();
    });
    return { refusing, behind: new OpensearchIndex(client, made.alias) };
  }

  test('a bulk names the documents that OpenSearch cannot parse, and indexes the others', async () => {
    const documents = [document(1), document(2, unreadable), document(3)];
    await expect(index.index(documents)).rejects.toMatchObject({
      documents: [{ document: { number: 2 }, reason: expect.stringContaining('mapper_parsing_exception') }],
    });
    expect(await found('message', 1)).toEqual([3, 1]);
  });

  test('a bulk fails when OpenSearch refuses a part of it temporarily, even if another part is refused permanently', async () => {
    const { refusing, behind } = await openRefusing();
    const item = (status: number, type: string) => ({ index: { status, error: { type, reason: 'a reason' } } });
    const items = [
      { index: { status: 201 } },
      item(400, 'mapper_parsing_exception'),
      item(429, 'rejected_execution_exception'),
    ];
    refusing.answer = { status: 200, body: { errors: true, items } };
    const failure = await behind.index([document(1), document(2), document(3)]).catch((error) => error);
    expect(failure).not.toBeInstanceOf(RefusedDocuments);
    expect(failure.message).toContain('429');
    for (const status of [429, 503]) {
      refusing.answer = { status, body: {} };
      await expect(behind.index([document(1)])).rejects.toThrow();
    }
  });

  test('a bulk of the longest texts is split into requests of bounded size', async () => {
    const { refusing, behind } = await openRefusing();
    const body = '\u{1F469}'.repeat(limits.bodyLength);
    await behind.index(numbers(1, 120).map((number) => document(number, { chat: 2, ...indexed(body) })));
    expect(refusing.sizes.length).toBe(2);
    expect(Math.max(...refusing.sizes)).toBeLessThan(limits.bulkBytes * 1.001);
    expect(await found('\u{1F469}\u{1F469}\u{1F469}', 2)).toHaveLength(100);
  });

  test('a bulk creates no index when there is none', async () => {
    const { alias, client } = newAlias();
    await expect(new OpensearchIndex(client, alias).index([document(1)])).rejects.toMatchObject({ statusCode: 404 });
    expect((await client.indices.exists({ index: alias })).body).toBe(false);
    await client.close();
  });

  test('the search worker moves the record of a refused document to the dead letters, and fails the whole batch when OpenSearch is busy', async () => {
    const { refusing, behind } = await openRefusing();
    const reasons: string[] = [];
    const merged = (keys: { token: string; chat: number; number: number }[]): MergedMessage[] =>
      keys.map((key) => ({
        ...key,
        content: { ...blankContent, body: 'text of the worker' },
        revisions: noRevisions,
        deleted: false,
        createdAt: key.number === 2 ? unreadable.createdAt : 1,
        updatedAt: 1,
      }));
    const worker = searchWorker({
      store: { merged: async (keys) => merged(keys) } as Store,
      searchIndex: behind,
      searchQueue: {
        addDeadLetters: async (deadLetters) => void reasons.push(...deadLetters.map(({ reason }) => reason)),
      },
    });
    const changes = (...ofChat: number[]) =>
      encodeChanges(ofChat.map((number) => ({ token: 'token', chat: 3, number })));
    refusing.answer = { status: 429, body: {} };
    expect(await deliver(worker, changes(1), changes(2))).toEqual([1, 2]);
    expect(reasons).toEqual([]);
    refusing.answer = undefined;
    expect(await deliver(worker, changes(1, 3), changes(2, 4), changes(5))).toEqual([]);
    expect(reasons).toEqual(['messages.0: 400 mapper_parsing_exception']);
    expect(await found('worker', 3)).toEqual([5, 4, 3, 1]);
  });
});
