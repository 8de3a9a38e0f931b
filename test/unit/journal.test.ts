import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { Journal } from '../../local/journal.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

let file: SqliteFile;
let readers: DatabaseSync[];
beforeEach(async () => {
  file = await openSqliteFile({ queue: queueMigrations });
  file.database.raw.exec('PRAGMA busy_timeout = 10; CREATE TABLE t (body)');
  readers = [0, 1].map(() => new DatabaseSync(file.path, { readOnly: true }));
});
afterEach(() => {
  vi.useRealTimers();
  for (const reader of readers) reader.close();
  file.remove();
});

const write = () => file.database.raw.exec('INSERT INTO t VALUES (zeroblob(1000000))');
const size = () => statSync(`${file.path}-wal`).size;
/** Starts to read in one connection before it ends the read in the other, like processes at full speed. */
const overlap = (turn: number) => {
  const [next, last] = turn % 2 ? readers : readers.toReversed();
  next?.exec('BEGIN; SELECT count(*) FROM t');
  if (last?.isTransaction) last.exec('COMMIT');
};

test('a journal that overlapping readers prevent from restarting is emptied once it is large and they are done', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const journal = new Journal(file.database, file.path, { maxBytes: 15_000_000 });
  for (let turn = 0; turn < 20; turn++) {
    overlap(turn);
    write();
  }
  expect(size()).toBeGreaterThan(15_000_000);
  // The checkpoint waits for readers only as long as the connection waits for locks, and then pauses for a minute.
  journal.keepSmall();
  expect(size()).toBeGreaterThan(15_000_000);
  for (const reader of readers) if (reader.isTransaction) reader.exec('COMMIT');
  vi.advanceTimersByTime(59_000);
  journal.keepSmall();
  expect(size()).toBeGreaterThan(15_000_000);
  vi.advanceTimersByTime(2_000);
  journal.keepSmall();
  expect(size()).toBe(0);
});

test('a small journal is not emptied', () => {
  const journal = new Journal(file.database, file.path, { maxBytes: 15_000_000 });
  write();
  const before = size();
  journal.keepSmall();
  expect(size()).toBe(before);
});

test('a journal of 8 MB is not copied into the file yet, so that pages which are written often are copied once', () => {
  new Journal(file.database, file.path);
  const before = statSync(file.path).size;
  for (let i = 0; i < 8; i++) write();
  expect(size()).toBeGreaterThan(8_000_000);
  expect(statSync(file.path).size).toBe(before);
});
