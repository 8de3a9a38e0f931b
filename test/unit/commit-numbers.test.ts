import { copyFileSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { isLater, later, NewestCommits, nextCommit } from '../../lib/sqlite/commit-numbers.ts';
import { Database } from '../../lib/sqlite/database.ts';
import { dataFolder } from '../support/servers/for-this-test.ts';

const makesNotes: Migration = {
  up: async (db) => {
    await sql`CREATE TABLE notes (text TEXT)`.execute(db);
  },
};
const schema = { notes: { '001': makesNotes } };

describe('the commit number of a file', () => {
  let [ledgerFile, storeFile] = ['', ''];
  let newestCommits: NewestCommits;
  let ledger: Database;
  let store: Database;

  const opened = async (file: string, name: 'ledger' | 'store'): Promise<Database> => {
    const database = Database.open(file, { pairing: { file: name, newestCommits }, syncsLater: name === 'ledger' });
    onTestFinished(() => database.close());
    await database.migrate(schema);
    return database;
  };
  beforeEach(async () => {
    const folder = dataFolder();
    [ledgerFile, storeFile] = [path.join(folder, 'ledger.db'), path.join(folder, 'store.db')];
    newestCommits = new NewestCommits();
    [ledger, store] = [await opened(ledgerFile, 'ledger'), await opened(storeFile, 'store')];
  });

  const add = (database: Database, text = 'x') =>
    database.transaction(() => database.prepare('INSERT INTO notes (text) VALUES (?)').run(text));
  const check = (file: string) => Database.check(file, schema, { table: 'notes' });

  test('a commit number increases with each changing transaction, and the file has that of the other file on the disk', async () => {
    add(store);
    add(store);
    expect(check(storeFile).commitNumbers).toEqual({ own: 2, other: 0 });
    add(ledger);
    expect(check(ledgerFile).commitNumbers).toEqual({ own: 1, other: 2 });
    add(store);
    expect(check(storeFile).commitNumbers, 'the ledger has not been synced').toEqual({ own: 3, other: 0 });
    await ledger.sync();
    add(store);
    expect(check(storeFile).commitNumbers).toEqual({ own: 4, other: 1 });
  });

  test('a commit number stays the same when a transaction changes nothing or fails', () => {
    add(store);
    store.transaction(() => store.prepare('SELECT * FROM notes').all());
    expect(() =>
      store.transaction(() => {
        store.prepare("INSERT INTO notes VALUES ('no')").run();
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(check(storeFile).commitNumbers).toEqual({ own: 1, other: 0 });
  });

  test('a commit number continues when the file is opened again', async () => {
    add(store);
    store.close();
    store = await opened(storeFile, 'store');
    add(store);
    expect(check(storeFile).commitNumbers.own).toBe(2);
  });

  test('a commit number wraps around after 32 bits', () => {
    store.setCommitNumbers({ own: 2 ** 31 - 1, other: 0 });
    add(store);
    expect(check(storeFile).commitNumbers.own).toBe(-(2 ** 31));
    expect(isLater(nextCommit(2 ** 31 - 1), 2 ** 31 - 1)).toBe(true);
    expect(later(-(2 ** 31), 2 ** 31 - 1)).toBe(-(2 ** 31));
  });

  describe('a file and its journal from different moments', () => {
    const checkpoint = (mode: string) => store.raw.exec(`PRAGMA wal_checkpoint(${mode})`);
    /** Copies the store's files as an interrupted copy does: each in its state when its function is called. */
    const copy = () => {
      const target = path.join(dataFolder(), 'store.db');
      return {
        target,
        file: () => copyFileSync(storeFile, target),
        journal: () => copyFileSync(`${storeFile}-wal`, `${target}-wal`),
      };
    };
    beforeEach(() => {
      for (let i = 0; i < 10; i++) add(store);
      checkpoint('TRUNCATE');
    });

    test('a file is refused when its journal begins after commits that the file does not have', () => {
      add(store);
      const { target, file, journal } = copy();
      file();
      checkpoint('TRUNCATE');
      add(store);
      journal();
      expect(() => check(target)).toThrow(`${target}-wal are damaged or from different moments; restore`);
    });

    test('a file is refused when its journal ends before the last commit of the file', () => {
      add(store);
      const { target, file, journal } = copy();
      journal();
      checkpoint('TRUNCATE');
      add(store);
      checkpoint('TRUNCATE');
      file();
      expect(() => check(target)).toThrow('different moments');
    });

    test('a file is refused when its journal is damaged and the file has later commits', () => {
      add(store);
      const first = readFileSync(`${storeFile}-wal`).length;
      add(store);
      checkpoint('PASSIVE');
      const { target, file, journal } = copy();
      file();
      journal();
      expect(check(target).commitNumbers.own).toBe(12);
      writeSync(openSync(`${target}-wal`, 'r+'), 'damage', first + 100);
      rmSync(`${target}-shm`, { force: true });
      expect(() => check(target)).toThrow('different moments');
    });

    test('a file is accepted when its journal matches, checkpointed or not, or was cut short by a power cut', () => {
      for (const mode of [undefined, 'PASSIVE', 'RESTART']) {
        if (mode) checkpoint(mode);
        add(store);
        const { target, file, journal } = copy();
        file();
        journal();
        expect(check(target).commitNumbers).toEqual(check(storeFile).commitNumbers);
        const whole = readFileSync(`${target}-wal`);
        writeSync(openSync(`${target}-wal`, 'r+'), Buffer.alloc(5_000), 0, 5_000, whole.length - 5_000);
        rmSync(`${target}-shm`, { force: true });
        expect(isLater(check(storeFile).commitNumbers.own, check(target).commitNumbers.own)).toBe(true);
      }
    });
  });
});
