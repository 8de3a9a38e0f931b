import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { constants } from 'node:sqlite';
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Database, UnusableDatabase } from '../../lib/sqlite/database.ts';
import { fileHashes } from '../support/basics/folder.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

const makes = (table: string): Migration => ({
  up: async (db) => {
    await sql`CREATE TABLE ${sql.table(table)} (text TEXT)`.execute(db);
  },
});
const schema = { notes: { '001': makes('notes') } };
const newerSchema = { notes: { ...schema.notes, '002': makes('more_notes') } };

describe('a database file', () => {
  let file: SqliteFile;
  beforeEach(async () => {
    file = await openSqliteFile(schema);
  });
  afterEach(() => file.remove());

  const add = (text: string) => file.database.prepare('INSERT INTO notes (text) VALUES (?)').run(text);
  const count = () => Number(file.database.prepare('SELECT count(*) AS count FROM notes').get()?.count);
  const check = (name = file.path) => Database.check(name, schema, { table: 'notes' }).holds;

  test('a transaction is kept completely or, when it throws, not at all', () => {
    file.database.transaction(() => {
      add('1');
      add('2');
    });
    const failing = () =>
      file.database.transaction(() => {
        add('3');
        throw new Error('no');
      });
    expect(failing).toThrow('no');
    expect(count()).toBe(2);
    file.database.transaction(() => add('4'));
    expect(count()).toBe(3);
  });

  test('a statement with a limit is prepared only once', () => {
    add('1');
    add('2');
    const text = 'SELECT text FROM notes ORDER BY text LIMIT ?';
    const reads = [
      (limit: number) => file.database.prepare(text).all(limit),
      (limit: number) => file.database.rows(`${text}1`, [limit]),
    ];
    for (const read of reads) {
      // SQLite calls the authorizer whenever it prepares a statement.
      let calls = 0;
      file.database.raw.setAuthorizer(() => {
        calls++;
        return constants.SQLITE_OK;
      });
      expect(read(1)).toHaveLength(1);
      const firstCalls = calls;
      expect(firstCalls).toBeGreaterThan(0);
      expect(read(1)).toHaveLength(1);
      expect(read(2)).toHaveLength(2);
      expect(calls).toBe(firstCalls);
    }
  });

  test('a database is migrated once and keeps its data', async () => {
    add('kept');
    file = await file.reopen();
    await file.database.migrate(newerSchema);
    await file.database.migrate(newerSchema);
    expect(count()).toBe(1);
    expect(file.database.prepare('SELECT * FROM more_notes').all()).toEqual([]);
  });

  test('a migration that fails halfway leaves nothing, so the next attempt succeeds', async () => {
    const { up } = makes('more_notes');
    const failing: Migration = {
      up: async (db) => {
        await up(db);
        throw new Error('halfway');
      },
    };
    await expect(file.database.migrate({ notes: { ...schema.notes, '002': failing } })).rejects.toThrow('halfway');
    await file.database.migrate(newerSchema);
    expect(file.database.prepare('SELECT * FROM more_notes').all()).toEqual([]);
  });

  test('a database syncs every commit to the disk, and readers can read meanwhile', () => {
    expect(file.database.raw.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(file.database.raw.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  });

  test('a database with `syncsLater` leaves the sync to its caller', async () => {
    const later = Database.open(`${file.path}-later`, { syncsLater: true });
    expect(later.raw.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 1 });
    await later.sync();
    later.raw.exec('CREATE TABLE notes (text TEXT)');
    await later.sync();
    later.close();
    await expect(later.sync()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('the check of a database tells whether it exists and has data', () => {
    const folder = path.dirname(file.path);
    writeFileSync(path.join(folder, 'empty.db'), '');
    expect(check(path.join(folder, 'empty.db'))).toBe('nothing');
    expect(check(path.join(folder, 'missing.db'))).toBe('nothing');
    expect(check()).toBe('no data');
    // The row is only in the journal, as after a power cut.
    add('1');
    expect(check()).toBe('data');
    file.database.close();
    expect(check()).toBe('data');
    expect(Database.check(file.path, schema, { table: 'another_table' }).holds).toBe('no data');
  });

  test('the check of a database neither changes it nor creates a file beside it', () => {
    add('1');
    file.database.close();
    const folder = path.dirname(file.path);
    const before = fileHashes(folder);
    check();
    expect(fileHashes(folder)).toEqual(before);
  });

  test('a database of a newer version is refused', async () => {
    await file.database.migrate(newerSchema);
    file.database.close();
    expect(() => check()).toThrow(UnusableDatabase);
    expect(() => check()).toThrow(`The database ${file.path} was written by a newer version of chat-system`);
  });

  test('a damaged database is refused and stays unchanged', () => {
    for (let i = 0; i < 200; i++) add('x'.repeat(1_000));
    file.database.close();
    const sound = readFileSync(file.path);
    const damages: [at: number, length: number][] = [
      [0, 16],
      [0, 100],
      [4_096, 100],
      [sound.length / 2, 8_192],
    ];
    for (const [at, length] of damages) {
      const damaged = Buffer.from(sound).fill(0xff, at, at + length);
      writeFileSync(file.path, damaged);
      expect(() => check()).toThrow(UnusableDatabase);
      expect(() => check()).toThrow('is damaged');
      expect(readFileSync(file.path).equals(damaged)).toBe(true);
    }
  });

  test('a truncated file, or one that is not a database, is refused', () => {
    for (let i = 0; i < 200; i++) add('x'.repeat(1_000));
    file.database.close();
    writeFileSync(file.path, readFileSync(file.path).subarray(0, 20_000));
    expect(() => check()).toThrow(`The database ${file.path} is damaged`);
    writeFileSync(file.path, 'this is a shopping list, not a database '.repeat(200));
    expect(() => check()).toThrow(`The database ${file.path} is damaged`);
    expect(() => Database.open(file.path)).toThrow(UnusableDatabase);
  });

  test('a database keeps almost nothing of deleted texts', () => {
    for (let i = 0; i < 300; i++) add(`secret ${i} ${'x'.repeat(i * 20)}`);
    file.database.raw.exec('DELETE FROM notes WHERE rowid % 3 > 0');
    file.database.raw.exec("UPDATE notes SET text = ''");
    file.database.close();
    // SQLite leaves a few texts that it moved to another page. Without secure_delete, all would be there.
    expect(readFileSync(file.path, 'latin1').split('secret').length - 1).toBeLessThan(5);
  });

  test.each<[what: string, failure: object, reason: string]>([
    ['the disk is full', { errcode: 13 }, 'cannot be written: the disk is full.'],
    ['the scratch file cannot grow', { errcode: 4874 }, 'cannot be opened: the disk is full.'],
    ['a lock cannot be taken', { errcode: 3850 }, 'cannot be read or written (SQLite error 3850)'],
    ['the file system is read-only', { code: 'EROFS' }, 'cannot be written: the file system is read-only.'],
    ['another wrote it meanwhile', { errcode: 5 }, 'is in use by another process.'],
  ])('a migration that fails gives the reason in one sentence: %s', async (_what, failure, reason) => {
    const up = () => Promise.reject(Object.assign(new Error('disk I/O error'), failure));
    const failing = { notes: { ...schema.notes, '002': { up } } };
    const migrating = file.database.migrate(failing);
    await expect(migrating).rejects.toThrow(UnusableDatabase);
    await expect(migrating).rejects.toThrow(`The database ${file.path} ${reason}`);
  });

  test('a folder in the place of a database is reported as a folder', () => {
    const folder = path.dirname(file.path);
    expect(() => check(folder)).toThrow(`The database ${folder} is a folder`);
  });
});
