import { sql } from 'kysely';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { limits } from '../../../lib/limits.ts';
import { migrateOpensearch } from '../../../lib/search/opensearch/migration.ts';
import { OpensearchIndex } from '../../../lib/search/opensearch/opensearch-index.ts';
import { migrateMysql } from '../../../lib/store/mysql/migration.ts';
import { MysqlStore, openMysql } from '../../../lib/store/mysql/mysql-store.ts';
import { mysqlMigrations } from '../../../lib/store/mysql/schema.ts';
import { applicationWrite, indexed } from '../../support/histories/writes.ts';
import { type MysqlDatabase, newDatabase } from '../../support/servers/mysql-database.ts';
import { newAlias } from '../../support/servers/opensearch-index.ts';

describe('a migration of SQL', () => {
  let database: MysqlDatabase;
  beforeEach(async () => {
    database = await newDatabase();
    return () => database.drop();
  });
  const open = () => {
    const db = openMysql(database.url, { connections: 1, timeouts: limits.sqlMs.migration });
    onTestFinished(() => db.destroy());
    return db;
  };
  const tables = async () => (await database.run('SHOW TABLES')).flatMap((row) => Object.values(row)).sort();
  const rows = () => database.run('SELECT name FROM kysely_migration');

  test('a migration of SQL waits for one in progress, so several concurrent ones succeed', async () => {
    await Promise.all([1, 2, 3, 4].map(() => migrateMysql(open())));
    expect(await rows()).toEqual(Object.keys(mysqlMigrations).map((name) => ({ name })));
    await new MysqlStore(open()).merge([applicationWrite('token')]);
  });

  test('a migration of SQL that failed half-way succeeds when it is run again', async () => {
    const [first] = Object.keys(mysqlMigrations) as [string];
    const stopped = {
      ...mysqlMigrations,
      [first]: {
        up: async (db: Parameters<NonNullable<(typeof mysqlMigrations)[string]>['up']>[0]) => {
          await mysqlMigrations[first]?.up(db);
          await sql`DROP TABLE purges, rollup_marks`.execute(db);
          throw new Error('the power went');
        },
      },
    };
    await expect(migrateMysql(open(), stopped)).rejects.toThrow('the power went');
    expect(await tables()).not.toContain('purges');
    expect(await rows()).toEqual([]);
    await migrateMysql(open());
    expect(await tables()).toContain('purges');
    await new MysqlStore(open()).merge([applicationWrite('token')]);
  });

  test('a second migration of SQL changes nothing', async () => {
    await migrateMysql(open());
    await new MysqlStore(open()).merge([applicationWrite('token')]);
    await migrateMysql(open());
    expect(await new MysqlStore(open()).application('token')).toMatchObject({ token: 'token' });
  });

  test('a migration of SQL leaves the tables of a newer version unchanged, so that a deployment can be rolled back', async () => {
    const newer = { ...mysqlMigrations, '999': { up: async () => undefined } };
    await migrateMysql(open(), newer);
    const before = await tables();
    await migrateMysql(open());
    expect(await tables()).toEqual(before);
    await new MysqlStore(open()).merge([applicationWrite('token')]);
  });

  test('a migration of SQL refuses tables with unknown migrations of another version, and changes nothing', async () => {
    await migrateMysql(open(), { ...mysqlMigrations, '999': { up: async () => undefined } });
    await database.run('DROP TABLE purges');
    const before = await tables();
    const other = { ...mysqlMigrations, '998': { up: async () => undefined } };
    await expect(migrateMysql(open(), other)).rejects.toThrow('another version of chat-system (999), without 998');
    expect(await tables()).toEqual(before);
  });

  test('a migration of SQL reports the error of the server', async () => {
    const url = new URL(database.url);
    url.password = 'wrong';
    const db = openMysql(url.href, { connections: 1, timeouts: limits.sqlMs.migration });
    onTestFinished(() => db.destroy());
    await expect(migrateMysql(db)).rejects.toThrow('Access denied');
  });
});

describe('a migration of the search index', () => {
  let made: ReturnType<typeof newAlias>;
  beforeEach(() => {
    made = newAlias();
    return () => made.remove();
  });

  test('concurrent migrations of the search index create one index, and a repeated one changes nothing', async () => {
    const { client, alias } = made;
    await Promise.all([1, 2, 3, 4].map(() => migrateOpensearch(client, alias)));
    const index = new OpensearchIndex(client, alias);
    await index.index([{ token: 'token', chat: 1, number: 1, ...indexed('body'), createdAt: 1, updatedAt: 1 }]);
    await migrateOpensearch(client, alias);
    await client.indices.refresh({ index: alias });
    expect((await index.search({ token: 'token', q: 'body', limit: 1 })).total).toBe(1);
    expect(Object.keys((await client.indices.getAlias({ name: alias })).body)).toEqual([`${alias}-1`]);
  });

  test('a migration of the search index asks for a reindex when the index has another fold table', async () => {
    const { client, alias } = made;
    await migrateOpensearch(client, alias);
    await client.indices.putMapping({ index: alias, body: { _meta: { fold_version: 'unicode-1' } } });
    await expect(migrateOpensearch(client, alias)).rejects.toThrow(/unicode-1.*script\/ops reindex/);
  });
});
