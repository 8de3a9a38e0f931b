import { randomUUID } from 'node:crypto';
import { createConnection } from 'mysql2/promise';
import { limits } from '../../../lib/limits.ts';
import { migrateMysql } from '../../../lib/store/mysql/migration.ts';
import { openMysql } from '../../../lib/store/mysql/mysql-store.ts';
import { awsServices } from './aws-services.ts';

export interface MysqlDatabase {
  /** The URL of the database, with the credentials of a user who may do anything. */
  url: string;
  /** Runs a statement on a new connection, as an operator would. */
  run: (statement: string, ...values: unknown[]) => Promise<Record<string, unknown>[]>;
  drop: () => Promise<void>;
}

/** Creates an empty database on the server. */
export async function newDatabase(): Promise<MysqlDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const operator = await createConnection({ uri: awsServices.mysqlUrl });
  await operator.query(`CREATE DATABASE ${name}`);
  const url = new URL(awsServices.mysqlUrl);
  url.pathname = name;
  await operator.changeUser({ database: name });
  return {
    url: url.href,
    run: async (statement, ...values) => (await operator.query(statement, values))[0] as Record<string, unknown>[],
    drop: async () => {
      await operator.query(`DROP DATABASE ${name}`);
      await operator.end();
    },
  };
}

/** Creates a database with the tables of the store. */
export async function newStoreDatabase(): Promise<MysqlDatabase> {
  const database = await newDatabase();
  const db = openMysql(database.url, { connections: 1, timeouts: limits.sqlMs.migration });
  await migrateMysql(db);
  await db.destroy();
  return database;
}
