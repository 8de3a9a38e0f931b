import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { searchChat } from '../../../functions/api/search-chat.ts';
import { setLogLevel } from '../../../functions/runtime/observe/log.ts';
import type { Ledger } from '../../../lib/ledger/ledger.ts';
import { limits } from '../../../lib/limits.ts';
import { openOpensearch } from '../../../lib/search/opensearch/client.ts';
import { OpensearchIndex } from '../../../lib/search/opensearch/opensearch-index.ts';
import type { StoredChat } from '../../../lib/store/reads.ts';
import { noAccess } from '../../support/client/access.ts';
import { answer, apiEvent, someToken as token } from '../../support/client/api-event.ts';
import { testCursors } from '../../support/client/cursors.ts';
import { FaultyProxy } from '../../support/faults/faulty-proxy.ts';
import { indexed } from '../../support/histories/writes.ts';
import { awsServices } from '../../support/servers/aws-services.ts';
import { newIndex, openRefusingOpensearch } from '../../support/servers/opensearch-index.ts';

setLogLevel('silent');

const functionMs = 3_000;
/** Milliseconds. Lambda ends a function at its limit, so a response must be there well before. */
const answerMs = functionMs - 100;
const chat: StoredChat = { number: 1, name: null, metadata: null, messagesCount: 1, createdAt: 1, updatedAt: 1 };
const ledger = {} as Ledger;

describe('a search', () => {
  let made: Awaited<ReturnType<typeof newIndex>>;
  beforeAll(async () => {
    made = await newIndex();
    const document = { token, chat: 1, number: 1, ...indexed('found'), createdAt: 1, updatedAt: 1 };
    await new OpensearchIndex(made.client, made.alias).index([document]);
    await made.client.indices.refresh({ index: made.alias });
  });
  afterAll(() => made.remove());

  function openSearch(url: string, alias = made.alias) {
    const client = openOpensearch(url);
    onTestFinished(() => client.close());
    const store = { chat: async () => chat } as unknown as Parameters<typeof searchChat>[0]['store'];
    const handler = searchChat({
      access: noAccess,
      store,
      ledger,
      cursors: testCursors(),
      searchIndex: new OpensearchIndex(client, alias),
    });
    return async () => {
      const begun = performance.now();
      const { status, headers, json } = await answer(
        handler,
        apiEvent('searchChat', { query: { q: 'found' } }),
        functionMs,
      );
      const inTime = performance.now() - begun < answerMs;
      return { status, retryAfter: headers['Retry-After'], inTime, total: json.total };
    };
  }
  const works = { status: 200, retryAfter: undefined, inTime: true, total: 1 };
  const isOut = {
    status: 503,
    retryAfter: String(limits.unavailableRetryAfterSeconds),
    inTime: true,
    total: undefined,
  };

  for (const [fault, begin] of Object.entries({
    'refuses connections': (proxy: FaultyProxy) => proxy.refuse(),
    'accepts connections but does not respond': async (proxy: FaultyProxy) => proxy.silence(),
  }))
    test(`a search gets a 503 in time when OpenSearch ${fault}, and succeeds again afterwards`, async () => {
      const proxy = await FaultyProxy.to(awsServices.opensearchUrl);
      onTestFinished(() => proxy.refuse());
      const search = openSearch(proxy.through(awsServices.opensearchUrl));
      expect(await search()).toEqual(works);
      await begin(proxy);
      expect([await search(), await search()]).toEqual([isOut, isOut]);
      await proxy.restore();
      expect([await search(), await search()]).toEqual([works, works]);
    });

  test('a search succeeds at once when its connection was closed while the function slept', async () => {
    const proxy = await FaultyProxy.to(awsServices.opensearchUrl);
    onTestFinished(() => proxy.refuse());
    const search = openSearch(proxy.through(awsServices.opensearchUrl));
    expect(await search()).toEqual(works);
    proxy.cut();
    expect(await search()).toEqual(works);
  });

  test('a search gets a 503 when OpenSearch is overloaded, starting or denies access, and a 500 when the request is invalid', async () => {
    const refusing = await openRefusingOpensearch();
    const search = openSearch(refusing.url);
    onTestFinished(async () => {
      await refusing.close();
    });
    for (const status of [429, 500, 503, 401, 403]) {
      refusing.answer = { status, body: { error: { type: 'some_exception' }, status } };
      expect(await search()).toEqual(isOut);
    }
    refusing.answer = { status: 400, body: { error: { type: 'parsing_exception' }, status: 400 } };
    expect(await search()).toMatchObject({ status: 500 });
    refusing.answer = undefined;
    expect(await search()).toEqual(works);
  });

  test('a search gets a 503 while there is no index', async () => {
    expect(await openSearch(awsServices.opensearchUrl, 'test-not-there')()).toEqual(isOut);
  });
});
