import { migrateOpensearch, openOpensearch } from '../lib/search/opensearch.ts';
import { migrateMysql, openMysql } from '../lib/store/mysql.ts';
import type { Servers } from './provider.ts';

/** Brings the tables up to date. */
export async function migrateSql({ mysqlUrl, mysqlPassword }: Servers): Promise<void> {
  const db = openMysql(mysqlUrl, 1, async () => mysqlPassword);
  try {
    await migrateMysql(db);
  } finally {
    await db.destroy();
  }
}

/** Makes the index where it is missing. */
export async function migrateSearch({ opensearchUrl }: Servers): Promise<void> {
  const client = openOpensearch(opensearchUrl);
  try {
    await migrateOpensearch(client);
  } finally {
    await client.close();
  }
}
