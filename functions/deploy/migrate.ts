import type { Client } from '@opensearch-project/opensearch';
import type { Kysely } from 'kysely';
import { migrateOpensearch } from '../../lib/search/opensearch-migration.ts';
import { migrateMysql } from '../../lib/store/mysql-migration.ts';
import type { Schema } from '../../lib/store/sql.ts';
import type { LambdaHandler } from '../runtime/lambda.ts';

interface MigrateServices {
  database: Kysely<Schema>;
  searchCluster: Client;
}

/** Runs during a deployment, before what uses the tables and the index; what it throws fails the deployment. */
export const migrate =
  ({ database, searchCluster }: MigrateServices): LambdaHandler<unknown, void> =>
  async () => {
    await migrateMysql(database);
    await migrateOpensearch(searchCluster);
  };
