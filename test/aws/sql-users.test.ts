import { LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { limits } from '../../lib/limits.ts';
import { newToken } from '../../lib/model/token.ts';
import { migrateMysql } from '../../lib/store/mysql/migration.ts';
import { openMysql } from '../../lib/store/mysql/mysql-store.ts';
import { createMysqlUsers, type MysqlUser, type MysqlUsers } from '../../lib/store/mysql/users.ts';
import type { Schema } from '../../lib/store/sql/schema.ts';
import { awsClientSettings, awsServices } from '../support/servers/aws-services.ts';
import { type MysqlDatabase, newDatabase } from '../support/servers/mysql-database.ts';

const open = (url: string, login?: MysqlUser): Kysely<Schema> =>
  openMysql(url, { connections: 1, timeouts: limits.sqlMs.work, ...(login && { login: async () => login }) });

/** Returns the result of a statement: `done`, `denied`, or the error. */
async function outcomeOf(db: Kysely<Schema>, statement: string): Promise<string> {
  try {
    await sql.raw(statement).execute(db);
    return 'done';
  } catch (error) {
    const { message, cause = error } = error as Error;
    return /denied/.test((cause as Error).message) ? 'denied' : `${message}: ${(cause as Error).message}`;
  }
}

const token = newToken();
const reading = ['SELECT * FROM messages', 'SELECT name FROM kysely_migration'];
const writing = [
  `INSERT INTO messages (token, chat, number, body, revision, deleted, updated_at) VALUES ('${token}', 1, 1, 'a', 0, 0, 1)`,
  `UPDATE messages SET body = 'b' WHERE token = '${token}'`,
  `DELETE FROM messages WHERE token = '${token}'`,
];
const neverAllowed = [
  'CREATE TABLE more (number INT)',
  'ALTER TABLE messages ADD more INT',
  'CREATE INDEX more ON messages (number)',
  'TRUNCATE TABLE rollup_marks',
  'DROP TABLE rollup_marks',
  'CREATE TEMPORARY TABLE more (number INT)',
  'CREATE VIEW more AS SELECT 1',
  'CREATE DATABASE more_databases',
  "CREATE USER more@'%' IDENTIFIED BY 'more'",
  'GRANT SELECT ON messages TO CURRENT_USER',
  'SELECT * FROM mysql.user',
];

/** Executes each statement and compares the result with what the user may do. */
async function expectRights(db: Kysely<Schema>, allowed: string[]): Promise<void> {
  for (const statement of [...reading, ...writing, ...neverAllowed])
    expect([statement, await outcomeOf(db, statement)]).toEqual([
      statement,
      allowed.includes(statement) ? 'done' : 'denied',
    ]);
}

describe('the SQL users of the deployed functions', () => {
  const lambda = new LambdaClient(awsClientSettings);
  const secrets = new SecretsManagerClient(awsClientSettings);
  /** The secret of each function's SQL user, by the function's name. */
  const secretOf = new Map<string, { secret: string; use: string }>();

  beforeAll(async () => {
    for await (const { Functions = [] } of paginateListFunctions({ client: lambda }, {}))
      for (const { Description = '', Environment } of Functions) {
        const { MYSQL_SECRET: secret, MYSQL_USE: use } = Environment?.Variables ?? {};
        if (secret && use) secretOf.set(Description.replace('chat-system: ', ''), { secret, use });
      }
  });
  afterAll(() => {
    lambda.destroy();
    secrets.destroy();
  });

  /** Opens a connection as the function does. */
  const asFunction = async (name: string) => {
    const SecretId = secretOf.get(name)?.secret ?? '';
    const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
    const { username, password } = JSON.parse(SecretString);
    const db = open(awsServices.mysqlUrl, { user: username, password });
    onTestFinished(() => db.destroy());
    return db;
  };

  test('a read route cannot write', async () => {
    await expectRights(await asFunction('getMessage'), reading);
  });

  test('a worker cannot change tables', async () => {
    await expectRights(await asFunction('storeWorker'), [...reading, ...writing]);
  });

  test('all routes use the reader’s secret, and all workers and schedules use the worker’s', () => {
    const byUse = Map.groupBy(secretOf.values(), ({ use }) => use);
    const users = [...byUse].map(([use, functions]) => [use, [...new Set(functions.map(({ secret }) => secret))]]);
    expect(Object.fromEntries(users)).toEqual({
      reads: ['chat-system/mysql-reader'],
      work: ['chat-system/mysql-worker'],
    });
    expect(byUse.get('work')).toHaveLength(4);
  });
});

describe('the SQL users that a migration creates', () => {
  let database: MysqlDatabase;
  let owner: MysqlUser;
  let users: MysqlUsers;

  beforeEach(async () => {
    database = await newDatabase();
    const made = newToken().replace(/\W/g, '').slice(0, 8);
    users = {
      reads: { user: `reads_${made}`, password: `it's a \\ "password" ?` },
      work: { user: `work_${made}`, password: 'another' },
    };
    owner = { user: `owner_${made}`, password: 'owner' };
    // The grants from docs/deploying.md.
    const [name, account] = [new URL(database.url).pathname.slice(1), `'${owner.user}'@'%'`];
    await database.run(`CREATE USER ${account} IDENTIFIED BY '${owner.password}'`);
    await database.run(`GRANT ALL ON ${name}.* TO ${account} WITH GRANT OPTION`);
    await database.run(`GRANT CREATE USER ON *.* TO ${account}`);
    await database.run(`GRANT SELECT ON mysql.* TO ${account}`);
    const db = openAs(owner);
    await migrateMysql(db);
    await createMysqlUsers(db, users);
  });
  afterEach(async () => {
    for (const { user } of [owner, ...Object.values(users)]) await database.run(`DROP USER IF EXISTS '${user}'@'%'`);
    await database.drop();
  });
  const openAs = (login: MysqlUser) => {
    const db = open(database.url, login);
    onTestFinished(() => db.destroy());
    return db;
  };

  test('the created users have their rights in their database, and none in a database with a similar name', async () => {
    await expectRights(openAs(users.reads), reading);
    await expectRights(openAs(users.work), [...reading, ...writing]);
    // In a grant, `_` stands for any character.
    const similar = new URL(database.url).pathname.slice(1).replace('test_', 'testx');
    await database.run(`CREATE DATABASE ${similar}`);
    try {
      await database.run(`CREATE TABLE ${similar}.more (number INT)`);
      expect(await outcomeOf(openAs(users.work), `SELECT * FROM ${similar}.more`)).toBe('denied');
    } finally {
      await database.run(`DROP DATABASE ${similar}`);
    }
  });

  test('a repeated migration sets the password from the secret and keeps open connections', async () => {
    const before = openAs(users.reads);
    expect(await outcomeOf(before, 'SELECT 1')).toBe('done');
    const changed = { ...users, reads: { ...users.reads, password: 'changed' } };
    for (const db of [openAs(owner), openAs(owner)]) await createMysqlUsers(db, changed);
    expect(await outcomeOf(before, 'SELECT 1')).toBe('done');
    expect(await outcomeOf(openAs(users.reads), 'SELECT 1')).toBe('denied');
    await expectRights(openAs(changed.reads), reading);
  });

  test('a repeated migration revokes rights that were granted by someone else', async () => {
    const { user } = users.reads;
    await database.run(`GRANT DELETE ON messages TO '${user}'@'%' WITH GRANT OPTION`);
    await createMysqlUsers(openAs(owner), users);
    await expectRights(openAs(users.reads), reading);
  });

  test('a migration without the right to create users fails with the server’s error', async () => {
    await expect(createMysqlUsers(openAs(users.work), users)).rejects.toThrow(/denied/i);
  });
});
