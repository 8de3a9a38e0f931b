import * as z from 'zod/mini';
import type { MysqlUser, MysqlUsers } from '../../lib/store/mysql/users.ts';
import { readDatabaseLogin } from './database-login.ts';
import { provider } from './provider.ts';

const secretId = z.optional(z.string().check(z.minLength(1)));

/**
 * Reads the users that a migration creates, from the secrets with their names and passwords. Each call reads the
 * secrets again, so that a changed password is used. Returns undefined when all functions work as the user of
 * MYSQL_URL.
 */
export const databaseUsers = provider({
  variables: { MYSQL_READER_SECRET: secretId, MYSQL_WORKER_SECRET: secretId },
  create:
    ({ MYSQL_READER_SECRET, MYSQL_WORKER_SECRET }) =>
    async (): Promise<MysqlUsers | undefined> =>
      MYSQL_READER_SECRET && MYSQL_WORKER_SECRET
        ? { reads: await readUser(MYSQL_READER_SECRET), work: await readUser(MYSQL_WORKER_SECRET) }
        : undefined,
});

async function readUser(secret: string): Promise<MysqlUser> {
  const { user, password } = await readDatabaseLogin(secret);
  if (!user) throw new Error(`The secret ${secret} has no username`);
  return { user, password };
}
