import { randomUUID } from 'node:crypto';
import type { Client } from '@opensearch-project/opensearch';
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { limits } from '../../lib/limits.ts';
import { openOpensearch } from '../../lib/search/opensearch/client.ts';
import { migrateOpensearch } from '../../lib/search/opensearch/migration.ts';
import { OpensearchIndex } from '../../lib/search/opensearch/opensearch-index.ts';
import { migrateMysql } from '../../lib/store/mysql/migration.ts';
import { MysqlStore, openMysql } from '../../lib/store/mysql/mysql-store.ts';
import type { Schema } from '../../lib/store/sql/schema.ts';
import type { Servers } from './figure.ts';

/** A temporary database with the tables of the store. */
export interface ScratchDatabase {
  /** The URL of the database, with the password. */
  url: string;
  db: Kysely<Schema>;
  store: MysqlStore;
  /** A plain mysql2 connection to the database, for references. */
  plain: Connection;
  drop: () => Promise<void>;
}

/** @param migrations those of an earlier version, to measure the later ones (default: all) */
export async function makeDatabase(
  { mysqlUrl }: Servers,
  migrations?: Record<string, Migration>,
): Promise<ScratchDatabase> {
  const database = `bench_${randomUUID().replaceAll('-', '')}`;
  const plain = await createConnection({ uri: mysqlUrl, charset: 'utf8mb4_bin', supportBigNumbers: true });
  await plain.query(`CREATE DATABASE ${database}`);
  await plain.changeUser({ database });
  const url = new URL(mysqlUrl);
  url.pathname = database;
  const db = openMysql(url.href, { connections: 1, timeouts: limits.sqlMs.migration });
  await migrateMysql(db, migrations);
  return {
    url: url.href,
    db,
    store: new MysqlStore(db),
    plain,
    drop: async () => {
      await db.destroy();
      await plain.query(`DROP DATABASE ${database}`);
      await plain.end();
    },
  };
}

/** Sets the size of the SQL server's buffer pool, in bytes. Returns a function that restores the previous size. */
export async function setBufferPoolSize({ plain }: ScratchDatabase, bytes: number): Promise<() => Promise<void>> {
  const set = (size: unknown) => plain.query('SET GLOBAL innodb_buffer_pool_size = ?', [size]);
  const [[row]] = await plain.query<RowDataPacket[]>('SELECT @@GLOBAL.innodb_buffer_pool_size AS size');
  await set(bytes);
  return async () => {
    await set(row?.size);
  };
}

/** A temporary search index. */
export interface ScratchIndex {
  index: OpensearchIndex;
  client: Client;
  /** The alias that searches use. */
  alias: string;
  drop: () => Promise<void>;
}

export async function makeIndex({ opensearchUrl }: Servers): Promise<ScratchIndex> {
  const alias = `bench-${randomUUID()}`;
  const client = openOpensearch(opensearchUrl);
  await migrateOpensearch(client, alias);
  return {
    index: new OpensearchIndex(client, alias),
    client,
    alias,
    drop: async () => {
      await client.indices.delete({ index: `${alias}-*` });
      await client.indices.deleteIndexTemplate({ name: alias });
      await client.close();
    },
  };
}
