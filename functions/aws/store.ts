import { MysqlStore } from '../../lib/store/mysql/mysql-store.ts';
import { database } from './database.ts';
import { provider } from './provider.ts';

/** The store in MySQL. */
export const store = provider({
  variables: database.variables,
  create: async (environment) => new MysqlStore(await database.create(environment)),
});
