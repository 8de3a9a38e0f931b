import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { numbers } from '../support/histories/writes.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

/** Waits long enough for a commit. */
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
  /** Violates a deferred constraint, which makes the commit itself fail. */
  const breakCommit = () => file.database.prepare('INSERT INTO promises (id) VALUES (404)').run();

  test('a group commit takes all waiting work into one transaction, in its order', async () => {
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

  test('a group commit acknowledges no work before the commit', async () => {
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

  test('work that fails is undone completely, and other work of the group commit succeeds', async () => {
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

  test('a single statement that fails is undone without a savepoint, and other work of the group commit succeeds', async () => {
    const results = await Promise.allSettled([
      commits.runStatement(() => insert(1)),
      commits.runStatement(() => file.database.prepare('INSERT INTO entries (id) VALUES (2), (3), (1)').run()),
      commits.run(() => insert(4)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(stored()).toEqual([1, 4]);
  });

  test('a group commit that fails rejects all its work, and the next one succeeds', async () => {
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

  test('a group commit rejects all its work when the disk is full, and the next one succeeds when there is space', async () => {
    const { raw } = file.database;
    raw.exec('CREATE TABLE texts (text TEXT)');
    const { page_count } = raw.prepare('PRAGMA page_count').get() as { page_count: number };
    raw.exec(`PRAGMA max_page_count = ${page_count + 2}`);
    const fill = () => raw.prepare('INSERT INTO texts (text) VALUES (?)').run('x'.repeat(100_000));
    const results = await Promise.allSettled([commits.run(() => insert(1)), commits.run(fill)]);
    expect(results[1]?.status).toBe('rejected');
    // Whether SQLite rolled back one statement or the whole transaction: exactly the acknowledged work is stored.
    expect(stored()).toEqual(results[0]?.status === 'fulfilled' ? [1] : []);
    raw.exec('PRAGMA max_page_count = 1000000');
    await commits.run(() => insert(2));
    expect(stored()).toContain(2);
  });

  describe('with a slow disk', () => {
    let disk: PromiseWithResolvers<void>;
    beforeEach(() => {
      disk = Promise.withResolvers();
      file.database.sync = () => disk.promise;
    });

    /** Returns the current state of a promise. */
    const state = (promise: Promise<unknown>) =>
      Promise.race([
        promise.then(
          () => 'resolved',
          () => 'rejected',
        ),
        turn().then(() => 'pending'),
      ]);

    test('a group commit acknowledges no work and notifies no listener before the disk has it', async () => {
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

    test('work that arrives during a sync waits for the next group commit', async () => {
      const first = commits.run(() => insert(1));
      await turn();
      const second = commits.run(() => insert(2));
      expect(await state(second)).toBe('pending');
      expect(stored()).toEqual([1]);
      disk.resolve();
      await Promise.all([first, second]);
      expect(stored()).toEqual([1, 2]);
    });

    test('a reader is told when everything committed is on the disk', async () => {
      await commits.synced();
      const result = commits.run(() => insert(1));
      await turn();
      const synced = commits.synced();
      expect(await state(synced)).toBe('pending');
      disk.resolve();
      await synced;
      await result;
    });

    test('a failing disk ends the process, and nothing is acknowledged or committed before that', async () => {
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

  test('a participant takes part in each transaction from its start to its end', async () => {
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

  test('a participant writes what it has left to the end before work that can be rolled back alone', async () => {
    let left: number[] = [];
    const write = () => {
      for (const id of left) insert(id);
      left = [];
    };
    commits.join({ begin: () => undefined, settle: write, end: write });
    let found: unknown;
    const outcomes = await Promise.allSettled([
      commits.runStatement(() => left.push(1)),
      commits.run(() => {
        found = stored();
        insert(2);
        throw new Error('rolled back');
      }),
      commits.runStatement(() => left.push(3)),
    ]);
    expect(found).toEqual([1]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(stored()).toEqual([1, 3]);
  });

  test('a group commit rejects all its work when a participant fails', async () => {
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

  test('work that starts when other work is acknowledged is taken into the next group commit', async () => {
    await commits.run(() => insert(1)).then(() => commits.run(() => insert(2)));
    expect(stored()).toEqual([1, 2]);
  });
});
