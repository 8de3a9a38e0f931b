import type { Client } from '@opensearch-project/opensearch';
import type { Kysely } from 'kysely';
import { migrateOpensearch } from '../../lib/search/opensearch/migration.ts';
import { migrateMysql } from '../../lib/store/mysql/migration.ts';
import { createMysqlUsers, type MysqlUsers } from '../../lib/store/mysql/users.ts';
import type { Schema } from '../../lib/store/sql/schema.ts';
import type { LambdaHandler } from '../runtime/lambda.ts';

interface MigrateServices {
  database: Kysely<Schema>;
  databaseUsers: () => Promise<MysqlUsers | undefined>;
  searchCluster: Client;
}

/**
 * Migrates the tables and the search index. It runs during a deployment, before the functions that use them are
 * updated, and an error fails the deployment. An operator also calls it after changing the password of a database user.
 */
export const migrate =
  ({ database, databaseUsers, searchCluster }: MigrateServices): LambdaHandler<unknown, void> =>
  async () => {
    await migrateMysql(database);
    const users = await databaseUsers();
    if (users) await createMysqlUsers(database, users);
    await migrateOpensearch(searchCluster);
  };
