import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { numbers } from '../support/histories/writes.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

/** Long enough for a commit to be made. */
const turn = async () => {
  for (let i = 0; i < 3; i++) await setImmediate();
};

describe('a group commit', () => {
  let file: SqliteFile;
  let commits: GroupCommit;
  beforeEach(async () => {
    file = await openSqliteFile({});
    file.database.raw.exec(`
      PRAGMA foreign_keys = ON;
      CREATE TABLE entries (id INTEGER PRIMARY KEY);
      CREATE TABLE promises (id INTEGER REFERENCES entries (id) DEFERRABLE INITIALLY DEFERRED);`);
    commits = new GroupCommit(file.database);
  });
  afterEach(() => file.remove());

  const insert = (id: number) => file.database.prepare('INSERT INTO entries (id) VALUES (?)').run(id);
  const stored = () =>
    file.database
      .prepare('SELECT id FROM entries ORDER BY id')
      .all()
      .map(({ id }) => id);
  /** A promise that is not kept makes the commit itself fail. */
  const breakCommit = () => file.database.prepare('INSERT INTO promises (id) VALUES (404)').run();

  test('takes all that waits into one transaction, in its order', async () => {
    let count = 0;
    commits.onCommit(() => count++);
    const results = numbers(1, 20).map((id) =>
      commits.run(() => {
        insert(id);
        return id;
      }),
    );
    expect(stored()).toEqual([]);
    expect(await Promise.all(results)).toEqual(numbers(1, 20));
    expect(stored()).toEqual(numbers(1, 20));
    expect(count).toBe(1);
  });

  test('answers nobody before the commit', async () => {
    let answered = false;
    let answeredAtCommit: boolean | undefined;
    const result = commits
      .run(() => insert(1))
      .then(() => {
        answered = true;
      });
    commits.onCommit(() => {
      answeredAtCommit = answered;
      expect(file.database.raw.isTransaction).toBe(false);
    });
    await result;
    expect(answeredAtCommit).toBe(false);
  });

  test('lets one bad piece of work spoil no other, and undoes all of it', async () => {
    const results = await Promise.allSettled([
      commits.run(() => insert(1)),
      commits.run(() => {
        insert(2);
        throw new Error('bad');
      }),
      commits.run(() => {
        insert(3);
        insert(1);
      }),
      commits.run(() => insert(4)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: new Error('bad') });
    expect(stored()).toEqual([1, 4]);
  });

  test('undoes a single statement that fails, without a savepoint, and spoils no other', async () => {
    const results = await Promise.allSettled([
      commits.runStatement(() => insert(1)),
      commits.runStatement(() => file.database.prepare('INSERT INTO entries (id) VALUES (2), (3), (1)').run()),
      commits.run(() => insert(4)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(stored()).toEqual([1, 4]);
  });

  test('fails all of the group when the commit fails, and goes on with the next', async () => {
    let count = 0;
    commits.onCommit(() => count++);
    const results = await Promise.allSettled([
      commits.run(() => insert(1)),
      commits.run(() => {
        insert(2);
        throw new Error('bad');
      }),
      commits.run(breakCommit),
    ]);
    for (const result of results) expect(String((result as PromiseRejectedResult).reason)).toContain('FOREIGN KEY');
    expect(stored()).toEqual([]);
    expect(count).toBe(0);
    await commits.run(() => insert(3));
    expect(stored()).toEqual([3]);
  });

  test('fails all of the group when the disk is full, and goes on when there is room again', async () => {
    const { raw } = file.database;
    raw.exec('CREATE TABLE texts (text TEXT)');
    const { page_count } = raw.prepare('PRAGMA page_count').get() as { page_count: number };
    raw.exec(`PRAGMA max_page_count = ${page_count + 2}`);
    const fill = () => raw.prepare('INSERT INTO texts (text) VALUES (?)').run('x'.repeat(100_000));
    const results = await Promise.allSettled([commits.run(() => insert(1)), commits.run(fill)]);
    expect(results[1]?.status).toBe('rejected');
    // Whether SQLite gave up one statement or the whole transaction: what was answered is there, and nothing else.
    expect(stored()).toEqual(results[0]?.status === 'fulfilled' ? [1] : []);
    raw.exec('PRAGMA max_page_count = 1000000');
    await commits.run(() => insert(2));
    expect(stored()).toContain(2);
  });

  describe('with a disk that takes its time', () => {
    let disk: PromiseWithResolvers<void>;
    beforeEach(() => {
      disk = Promise.withResolvers();
      file.database.sync = () => disk.promise;
    });

    /** What a promise has come to by now. */
    const state = (promise: Promise<unknown>) =>
      Promise.race([
        promise.then(
          () => 'resolved',
          () => 'rejected',
        ),
        turn().then(() => 'pending'),
      ]);

    test('answers nobody, and tells no listener, before the disk has it', async () => {
      let told = false;
      commits.onCommit(() => {
        told = true;
      });
      const result = commits.run(() => insert(1));
      const refused = commits.run(() => {
        throw new Error('bad');
      });
      expect([await state(result), await state(refused)]).toEqual(['pending', 'pending']);
      expect({ stored: stored(), told }).toEqual({ stored: [1], told: false });
      disk.resolve();
      expect([await state(result), await state(refused)]).toEqual(['resolved', 'rejected']);
      expect(told).toBe(true);
    });

    test('lets what comes meanwhile wait for the next group', async () => {
      const first = commits.run(() => insert(1));
      await turn();
      const second = commits.run(() => insert(2));
      expect(await state(second)).toBe('pending');
      expect(stored()).toEqual([1]);
      disk.resolve();
      await Promise.all([first, second]);
      expect(stored()).toEqual([1, 2]);
    });

    test('tells a reader when all that is committed is on the disk', async () => {
      await commits.synced();
      const result = commits.run(() => insert(1));
      await turn();
      const synced = commits.synced();
      expect(await state(synced)).toBe('pending');
      disk.resolve();
      await synced;
      await result;
    });

    test('ends the process when the disk fails, and answers nobody and commits nothing before that', async () => {
      const crashes: unknown[] = [];
      commits = new GroupCommit(file.database, (error) => crashes.push(error));
      const first = commits.run(() => insert(1));
      await turn();
      const second = commits.run(() => insert(2));
      disk.reject(new Error('EIO'));
      expect([await state(first), await state(second)]).toEqual(['pending', 'pending']);
      expect(stored()).toEqual([1]);
      expect(crashes).toEqual([new Error('EIO')]);
    });
  });

  test('lets others take part in each transaction, from its beginning to its end', async () => {
    const calls: string[] = [];
    commits.join({
      begin: () => calls.push(`begin ${file.database.raw.isTransaction}`),
      end: () => {
        calls.push(`end ${stored()}`);
        insert(100 + calls.length);
      },
    });
    await Promise.all([commits.run(() => insert(1)), commits.run(() => insert(2))]);
    expect(calls).toEqual(['begin true', 'end 1,2']);
    expect(stored()).toEqual([1, 2, 102]);
  });

  test('fails all of the group when one that takes part fails', async () => {
    let full = true;
    commits.join({
      begin: () => undefined,
      end: () => {
        if (full) throw new Error('full');
      },
    });
    await expect(commits.run(() => insert(1))).rejects.toThrow('full');
    full = false;
    await commits.run(() => insert(2));
    expect(stored()).toEqual([2]);
  });

  test('takes work that comes from an answer into the next group', async () => {
    await commits.run(() => insert(1)).then(() => commits.run(() => insert(2)));
    expect(stored()).toEqual([1, 2]);
  });
});
