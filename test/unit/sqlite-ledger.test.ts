import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ledgerMigrations } from '../../lib/ledger/sqlite/schema.ts';
import { SqliteLedger } from '../../lib/ledger/sqlite/sqlite-ledger.ts';
import { limits } from '../../lib/limits.ts';
import { decodeWrites } from '../../lib/queue/records.ts';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { newClock } from '../support/basics/clock.ts';
import { refusal } from '../support/faults/refusal.ts';
import { chatNamed, contents, numbers } from '../support/histories/writes.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

// Tests only of the embedded ledger. The contract of all ledgers is in test/contract.
describe('the embedded ledger', () => {
  const clock = newClock();
  const elapsed = newClock(0);
  let file: SqliteFile;
  let commits: GroupCommit;
  let queue: SqliteQueue;
  let ledger: SqliteLedger;
  beforeEach(async () => {
    file = await openSqliteFile({ ledger: ledgerMigrations, queue: queueMigrations });
    commits = new GroupCommit(file.database);
    queue = new SqliteQueue(commits, 'store', { now: clock });
    ledger = new SqliteLedger(commits, queue, { now: clock, elapsed });
  });
  afterEach(() => file.remove());

  const allowPages = (more: number) => {
    const { page_count } = file.database.raw.prepare('PRAGMA page_count').get() as { page_count: number };
    file.database.raw.exec(`PRAGMA max_page_count = ${page_count + more}`);
  };

  test('the embedded ledger is unavailable while the disk is full, keeps nothing unacknowledged, and loses no number', async () => {
    const { token } = await ledger.createApplication('a');
    await ledger.createChat(token, chatNamed(null));
    allowPages(8);
    const key = { id: 'key', payload: 'payload' };
    const outcomes = await Promise.all(
      numbers(1, 30).map((i) =>
        refusal(ledger.createMessages({ token, chat: 1 }, contents([`${i}${'x'.repeat(10_000)}`]))),
      ),
    );
    expect(new Set(outcomes)).toContain('unavailable');
    expect(await refusal(ledger.createMessages({ token, chat: 1 }, contents(['x'.repeat(200_000)]), { key }))).toBe(
      'unavailable',
    );
    const accepted = outcomes.filter((outcome) => outcome === 'accepted').length;
    expect(await ledger.counters([{ token, chat: 1 }])).toEqual([accepted]);

    allowPages(10_000);
    expect((await ledger.createMessages({ token, chat: 1 }, contents(['after']), { key })).first).toBe(accepted + 1);
    expect(await queue.receive(1_000)).toHaveLength(2 + accepted + 1);
  });

  test.each([2 ** 53 - 1, 2n ** 63n - 1n])(
    'the embedded ledger works with a counter and revisions of %d, as an earlier version could import them',
    async (absurd) => {
      const { token } = await ledger.createApplication('a');
      const neighbour = await ledger.createApplication('b');
      for (const each of [token, neighbour.token]) await ledger.createChat(each, chatNamed(null));
      await ledger.createMessages({ token, chat: 1 }, contents(['x']));
      await ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'y' });
      const before = (await queue.receive(1_000)).length;
      const { raw } = file.database;
      raw.prepare('UPDATE applications SET chats = ?, revision = ? WHERE token = ?').run(absurd, absurd, token);
      raw.prepare('UPDATE chats SET messages = ?, revision = ? WHERE token = ?').run(absurd, absurd, token);
      raw.prepare('UPDATE changed_messages SET revision = ? WHERE token = ?').run(absurd, token);

      const parents = [{ token }, { token, chat: 1 }, { token: neighbour.token }];
      expect(await ledger.counters(parents)).toEqual([Number(absurd), Number(absurd), 1]);
      expect(await ledger.entries(parents)).toMatchObject([
        { highest: Number(absurd), revision: Number(absurd) },
        { highest: Number(absurd), revision: Number(absurd) },
        { highest: 1, revision: 0 },
      ]);
      expect(await ledger.changedMessages([{ token, chat: 1, number: 1 }])).toMatchObject([
        { revision: Number(absurd) },
      ]);
      const refused = await Promise.all([
        refusal(ledger.createChat(token, chatNamed(null))),
        refusal(ledger.createMessages({ token, chat: 1 }, contents(['x']))),
        refusal(ledger.editApplication(token, 'x')),
        refusal(ledger.editChat({ token, chat: 1 }, { name: 'x' })),
        refusal(ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'x' })),
      ]);
      expect(new Set(refused)).toEqual(new Set(['validation_failed']));
      expect(await refusal(ledger.editMessage({ token, chat: 1, number: 2 ** 40 }, { body: 'x' }))).toBe(
        'message_not_found',
      );
      expect(await ledger.hasMessage(token, 1, 2 ** 40)).toBe(false);
      expect(await queue.receive(1_000)).toHaveLength(0);
      expect(before).toBeGreaterThan(0);
      expect((await ledger.createMessages({ token: neighbour.token, chat: 1 }, contents(['x']))).first).toBe(1);
      for (const call of [
        ledger.deleteMessage({ token, chat: 1, number: 1 }),
        ledger.deleteChat({ token, chat: 1 }),
        ledger.deleteApplication(token),
      ])
        expect(await refusal(call)).toBe('accepted');
    },
  );

  test('the embedded ledger queues concurrently accepted writes as one record in order, without refused ones', async () => {
    const { token } = await ledger.createApplication('a');
    await ledger.createChat(token, chatNamed(null));
    await queue.acknowledge((await queue.receive(10)).map(({ receipt }) => receipt));
    const results = await Promise.all([
      refusal(ledger.createMessages({ token, chat: 1 }, contents(['one', 'two']))),
      refusal(ledger.createMessages({ token, chat: 2 }, contents(['no such chat']))),
      refusal(ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'edited' })),
      refusal(ledger.deleteMessage({ token, chat: 1, number: 9 })),
    ]);
    expect(results).toEqual(['accepted', 'chat_not_found', 'accepted', 'message_not_found']);
    const records = (await queue.receive(10)).map(({ body }) => decodeWrites(body));
    expect(records.map((writes) => writes.map((write) => 'content' in write && write.content.body))).toEqual([
      ['one', 'two', 'edited'],
    ]);
  });

  test('the embedded ledger queues nothing of a group commit that failed', async () => {
    const { token } = await ledger.createApplication('a');
    await ledger.createChat(token, chatNamed(null));
    const failing = file.database.transaction.bind(file.database);
    file.database.transaction = (work) =>
      failing(() => {
        work();
        throw new Error('the commit failed');
      });
    await expect(ledger.createMessages({ token, chat: 1 }, contents(['lost']))).rejects.toThrow('the commit failed');
    file.database.transaction = failing;
    expect((await ledger.createMessages({ token, chat: 1 }, contents(['kept']))).first).toBe(1);
    const writes = (await queue.receive(10)).flatMap(({ body }) => decodeWrites(body));
    expect(writes.filter(({ kind }) => kind === 'message')).toMatchObject([{ number: 1, content: { body: 'kept' } }]);
  });

  test('the embedded ledger gives the messages of one group commit numbers without gaps, whatever else is in the group', async () => {
    const { token } = await ledger.createApplication('a');
    for (const name of ['x', 'y']) await ledger.createChat(token, chatNamed(name));
    const create = (chat: number, key?: { id: string; payload: string }) =>
      ledger.createMessages({ token, chat }, contents(['text']), key && { key }).then(({ first }) => first);
    const [entry] = await ledger.entries([{ token, chat: 2 }]);
    if (!entry) throw new Error('The ledger has no entry of chat 2');
    const results = await Promise.all([
      create(1),
      create(1, { id: 'key', payload: 'a' }),
      create(1),
      // The key was used with another payload.
      create(1, { id: 'key', payload: 'b' }).catch(() => 'refused'),
      // The key cannot be stored, so the number that it took is given back.
      create(1, { id: 'another', payload: null as never }).catch(() => 'failed'),
      create(2),
      refusal(ledger.editMessage({ token, chat: 2, number: 1 }, { body: 'edited' })),
      refusal(ledger.restore({ ...entry, highest: 50 })),
      create(2),
      create(1),
      refusal(ledger.deleteChat({ token, chat: 2 })),
      refusal(ledger.createMessages({ token, chat: 2 }, contents(['late']))),
    ]);
    expect(results).toEqual([
      1,
      2,
      3,
      'refused',
      'failed',
      1,
      'accepted',
      'accepted',
      51,
      4,
      'accepted',
      'chat_not_found',
    ]);
    expect(
      await ledger.counters([
        { token, chat: 1 },
        { token, chat: 2 },
      ]),
    ).toEqual([4, 51]);
    expect(await create(1)).toBe(5);
  });

  test('the embedded ledger limits a record to one transaction of the worker and to a bounded size', async () => {
    const { token } = await ledger.createApplication('a');
    await ledger.createChat(token, chatNamed(null));
    await queue.acknowledge((await queue.receive(10)).map(({ receipt }) => receipt));
    const short = Array<string>(700).fill('short');
    const long = Array<string>(80).fill('x'.repeat(10_000));
    await Promise.all(
      [short, short, long].map((bodies) => ledger.createMessages({ token, chat: 1 }, contents(bodies))),
    );
    const records = (await queue.receive(100)).map(({ body }) => decodeWrites(body).length);
    expect(records).toEqual([1_000, 400 + 35, 35, 10]);
  });

  test('the embedded ledger deletes expired keys when new ones arrive', async () => {
    const keys = () => file.database.prepare('SELECT count(*) AS count FROM idempotency_keys').get()?.count;
    for (const i of numbers(1, 10)) await ledger.createApplication('a', { key: { id: `old ${i}`, payload: '' } });
    elapsed.advance(limits.idempotencyMs);
    for (const i of numbers(1, 5)) await ledger.createApplication('a', { key: { id: `new ${i}`, payload: '' } });
    expect(keys()).toBe(5);
  });

  const hour = 60 * 60 * 1_000;
  test.each([-hour, hour, -40 * 24 * hour, 40 * 24 * hour])(
    'the embedded ledger remembers an Idempotency-Key for 24 hours even if the clock moves by %i ms, also across a restart',
    async (change) => {
      const create = () => ledger.createApplication('a', { key: { id: 'key', payload: '' } });
      const first = await create();
      clock.advance(change);
      expect(await create()).toEqual(first);
      ledger = new SqliteLedger(commits, queue, { now: clock, elapsed: newClock(5) });
      expect(await create()).toEqual(first);
      ledger = new SqliteLedger(commits, queue, { now: clock, elapsed });
      elapsed.advance(limits.idempotencyMs - 1);
      expect(await create()).toEqual(first);
      elapsed.advance(1);
      expect(await create()).not.toEqual(first);
    },
  );
});
