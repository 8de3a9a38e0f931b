import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../lib/limits.ts';
import { documentsOf } from '../../lib/search/documents-of.ts';
import { migrateOpensearch } from '../../lib/search/opensearch/migration.ts';
import { OpensearchIndex } from '../../lib/search/opensearch/opensearch-index.ts';
import { OpensearchReindexing } from '../../lib/search/opensearch/reindex.ts';
import type { ReindexStep } from '../../lib/search/reindex.ts';
import { tombstoneVersion } from '../../lib/search/search-index.ts';
import { MysqlStore, openMysql } from '../../lib/store/mysql/mysql-store.ts';
import { allPages } from '../support/client/all-pages.ts';
import { applicationWrite, chatWrite, deletionWrite, messageWrite, numbers } from '../support/histories/writes.ts';
import { newStoreDatabase } from '../support/servers/mysql-database.ts';
import { newIndex } from '../support/servers/opensearch-index.ts';

describe('a reindex', () => {
  const token = 'Q2lDXdH2R2GfSqkhVYzhGg';
  /** How often the workers look up the indexes, in milliseconds. Their batches take less than `waitMs` minus this. */
  const writeIndexesMs = 300;
  const waitMs = 1_500;
  const inChat = 2_500;

  let made: Awaited<ReturnType<typeof newIndex>>;
  let store: MysqlStore;
  let index: OpensearchIndex;
  beforeEach(async () => {
    made = await newIndex();
    const database = await newStoreDatabase();
    const db = openMysql(database.url, { connections: 2, timeouts: limits.sqlMs.work });
    store = new MysqlStore(db);
    index = new OpensearchIndex(made.client, made.alias, writeIndexesMs);
    await write(index, applicationWrite(token), chatWrite(token, 1), chatWrite(token, 2));
    for (const chat of [1, 2])
      for (let first = 1; first < inChat; first += 500)
        await write(
          index,
          ...numbers(first, first + 499).map((number) =>
            messageWrite(token, chat, number, { body: `stays ${number}` }),
          ),
        );
    await refresh();
    return async () => {
      await db.destroy();
      await database.drop();
      await made.remove();
    };
  });

  /** Stores and indexes writes, as the two workers do. */
  async function write(to: OpensearchIndex, ...writes: Parameters<MysqlStore['merge']>[0]) {
    await store.merge(writes);
    const keys = writes.flatMap((each) =>
      'number' in each && each.number ? [each as { token: string; chat: number; number: number }] : [],
    );
    await to.index((await store.merged(keys)).flatMap(documentsOf));
  }
  const refresh = () => made.client.indices.refresh({ index: made.alias });
  const reindexing = () => new OpensearchReindexing(made.client, store, { alias: made.alias, waitMs });
  const total = async (q: string) => (await index.search({ token, q, limit: 1 })).total;
  const indexes = async () => Object.keys((await made.client.indices.get({ index: `${made.alias}-*` })).body).sort();
  const [first, second, third] = [1, 2, 3].map((indexNumber) => () => `${made.alias}-${indexNumber}`) as [
    () => string,
    () => string,
    () => string,
  ];

  test('a reindex loses no search and no write while messages are written, edited and deleted', async () => {
    let over = false;
    let [written, searches] = [0, 0];
    const writer = async (chat: number) => {
      // Stands for another process, which notices the new index at its next lookup.
      const own = new OpensearchIndex(made.client, made.alias, writeIndexesMs);
      for (let i = 1; !over; i++) {
        const number = inChat + i;
        const body = (revision: number) => `live, revision ${revision}`;
        await write(own, messageWrite(token, chat, number, { body: body(0) }));
        await write(own, messageWrite(token, chat, number, { revision: 1, body: body(1) }));
        await write(own, messageWrite(token, chat, i, { revision: 1, body: `stays ${i}, edited` }));
        if (i % 2 === 0) await write(own, deletionWrite(token, chat, number));
        written = i;
      }
    };
    const searcher = async () => {
      let known = 0;
      while (!over) {
        expect(await total('stays')).toBe(2 * inChat);
        // A message that was found as edited must never be found in its earlier version.
        const edited = await total('edited');
        expect(edited).toBeGreaterThanOrEqual(known);
        known = edited;
        searches++;
        await sleep(5);
      }
    };
    const work = [writer(1), writer(2), searcher()];
    const steps: ReindexStep[] = await Array.fromAsync(reindexing().run()).finally(() => {
      over = true;
    });
    await Promise.all(work);
    // A busy machine completes only a few, which is enough to overlap the steps of the reindex.
    expect(Math.min(written, searches)).toBeGreaterThan(3);
    expect(steps.filter(({ kind }) => kind === 'done')).toEqual([
      { kind: 'done', what: `created ${second()}` },
      { kind: 'done', what: `switched searches to ${second()}` },
      { kind: 'done', what: `deleted ${first()}` },
    ]);
    expect(await indexes()).toEqual([second()]);

    // The index must contain exactly the store's messages in their versions, including tombstones.
    await refresh();
    const rows = (
      await allPages(
        (page: Awaited<ReturnType<typeof store.scan>> | undefined) => store.scan(1_000, page?.at(-1)),
        (page) => page.length === 1_000,
      )
    ).flat();
    for (const chat of [1, 2]) {
      const versions = (
        await allPages(
          (page: Awaited<ReturnType<typeof index.versions>> | undefined) =>
            index.versions({ token, chat }, { after: page?.at(-1)?.number ?? 0, limit: 1_000 }),
          (page) => page.length === 1_000,
        )
      ).flat();
      const expected = rows
        .filter((row) => row.chat === chat)
        .map(({ number, revisions, deleted }) => ({ number, version: deleted ? tombstoneVersion : revisions.body }));
      expect(versions).toEqual(expected);
    }
    expect(await total('live')).toBe(rows.filter(({ content }) => content.body.startsWith('live')).length);
  });

  test('a reindex that was interrupted in the middle continues where it stopped', async () => {
    const pages: number[] = [];
    let runs = 0;
    for (; (await indexes()).join() !== second(); runs++) {
      let copied = 0;
      const run = new OpensearchReindexing(made.client, store, { alias: made.alias, waitMs, pagesPerNote: 1 }).run();
      for await (const step of run) {
        expect(await total('stays')).toBe(2 * inChat);
        if (step.kind === 'copied') pages.push(step.messages);
        if (step.kind === 'copied' && ++copied === 3) break;
      }
    }
    expect(runs).toBe(3);
    // The second and third runs first count what was copied before.
    expect(pages).toEqual([1_000, 1_000, 1_000, 3_000, 1_000, 1_000, 5_000, 0]);
    expect((await reindexing().plan()).what).toBe(`build ${third()} to replace ${second()}`);
  });

  test('a reindex that was interrupted before it deleted the old index deletes it', async () => {
    for await (const step of reindexing().run())
      if (step.kind === 'done' && step.what.startsWith('switched searches')) break;
    expect(await indexes()).toEqual([first(), second()]);
    expect((await reindexing().plan()).what).toBe(`delete ${first()}, which is no longer searched`);
    await Array.fromAsync(reindexing().run());
    expect(await indexes()).toEqual([second()]);
    expect(await total('stays')).toBe(2 * inChat);
  });

  test('a reindex waits until every worker knows the new index before it copies, and before it deletes the old one', async () => {
    const times: Record<string, number> = {};
    for await (const step of reindexing().run())
      if (step.kind !== 'waiting') times[step.kind === 'copied' ? 'copied' : step.what] ??= Date.now();
    const [begun, copied, searched, deleted] = Object.values(times) as [number, number, number, number];
    // Two clocks may differ by a millisecond.
    expect(copied - begun).toBeGreaterThanOrEqual(waitMs - 100);
    expect(deleted - searched).toBeGreaterThanOrEqual(waitMs - 100);
  });

  test('a reindex can be aborted', async () => {
    for await (const step of reindexing().run()) if (step.kind === 'copied') break;
    expect((await reindexing().plan()).what).toMatch(`continue building ${second()}`);
    await Array.fromAsync(reindexing().abort());
    expect(await indexes()).toEqual([first()]);
    await write(index, messageWrite(token, 1, inChat + 1, { body: 'stays, too' }));
    await refresh();
    expect(await total('stays')).toBe(2 * inChat + 1);
    expect(await Array.fromAsync(reindexing().abort())).toEqual([]);
  });

  test('a reindex repairs an index with another fold table', async () => {
    await made.client.indices.putMapping({ index: made.alias, body: { _meta: { fold_version: 'unicode-1' } } });
    await expect(migrateOpensearch(made.client, made.alias)).rejects.toThrow('script/ops reindex');
    await Array.fromAsync(reindexing().run());
    await migrateOpensearch(made.client, made.alias);
    expect(await total('stays')).toBe(2 * inChat);
  });
});
