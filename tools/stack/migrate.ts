import { limits } from '../../lib/limits.ts';
import { openOpensearch } from '../../lib/search/opensearch/client.ts';
import { migrateOpensearch } from '../../lib/search/opensearch/migration.ts';
import { migrateMysql } from '../../lib/store/mysql/migration.ts';
import { openMysql } from '../../lib/store/mysql/mysql-store.ts';
import { createMysqlUsers, type MysqlUsers } from '../../lib/store/mysql/users.ts';
import type { Servers } from './provider.ts';

/** Migrates the tables and creates the SQL users, as the function `migrate` does on AWS. */
export async function migrateSql({ mysqlUrl, mysqlPassword }: Servers, users?: MysqlUsers): Promise<void> {
  const db = openMysql(mysqlUrl, {
    connections: 1,
    timeouts: limits.sqlMs.migration,
    login: async () => ({ password: mysqlPassword }),
  });
  try {
    await migrateMysql(db);
    if (users) await createMysqlUsers(db, users);
  } finally {
    await db.destroy();
  }
}

/** Creates the search index if it is missing. */
export async function migrateSearch({ opensearchUrl }: Servers): Promise<void> {
  const client = openOpensearch(opensearchUrl);
  try {
    await migrateOpensearch(client);
  } finally {
    await client.close();
  }
}
