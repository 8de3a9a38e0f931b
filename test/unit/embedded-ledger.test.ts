import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EmbeddedLedger } from '../../lib/ledger/embedded.ts';
import { ledgerMigrations } from '../../lib/ledger/embedded-schema.ts';
import { limits } from '../../lib/limits.ts';
import { EmbeddedQueue } from '../../lib/queue/embedded.ts';
import { queueMigrations } from '../../lib/queue/embedded-schema.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { newClock } from '../support/clock.ts';
import { refusal } from '../support/refusal.ts';
import { openSqliteFile, type SqliteFile } from '../support/sqlite-file.ts';
import { numbers } from '../support/writes.ts';

// What only the embedded ledger has; what all ledgers have is in test/contract.
describe('the embedded ledger', () => {
  const clock = newClock();
  let file: SqliteFile;
  let queue: EmbeddedQueue;
  let ledger: EmbeddedLedger;
  beforeEach(async () => {
    file = await openSqliteFile({ ledger: ledgerMigrations, queue: queueMigrations });
    const commits = new GroupCommit(file.database);
    queue = new EmbeddedQueue(commits, 'store', { now: clock });
    ledger = new EmbeddedLedger(commits, queue, clock);
  });
  afterEach(() => file.remove());

  const allowPages = (more: number) => {
    const { page_count } = file.database.raw.prepare('PRAGMA page_count').get() as { page_count: number };
    file.database.raw.exec(`PRAGMA max_page_count = ${page_count + more}`);
  };

  test('is unavailable while the disk is full; what it did not answer is not there, and no number is lost', async () => {
    const { token } = await ledger.createApplication('a');
    await ledger.createChat(token, null);
    allowPages(8);
    const key = { id: 'key', payload: 'payload' };
    const outcomes = await Promise.all(
      numbers(1, 30).map((i) => refusal(ledger.createMessages(token, 1, [`${i}${'x'.repeat(10_000)}`]))),
    );
    expect(new Set(outcomes)).toContain('unavailable');
    expect(await refusal(ledger.createMessages(token, 1, ['x'.repeat(200_000)], key))).toBe('unavailable');
    const accepted = outcomes.filter((outcome) => outcome === 'accepted').length;
    expect(await ledger.counters([{ token, chat: 1 }])).toEqual([accepted]);

    allowPages(10_000);
    expect((await ledger.createMessages(token, 1, ['after'], key)).first).toBe(accepted + 1);
    expect(await queue.receive(1_000)).toHaveLength(2 + accepted + 1);
  });

  test('clears away keys that have expired as new ones come', async () => {
    const keys = () => file.database.prepare('SELECT count(*) AS count FROM idempotency_keys').get()?.count;
    for (const i of numbers(1, 10)) await ledger.createApplication('a', { id: `old ${i}`, payload: '' });
    clock.advance(limits.idempotencyMs);
    for (const i of numbers(1, 5)) await ledger.createApplication('a', { id: `new ${i}`, payload: '' });
    expect(keys()).toBe(5);
  });
});
