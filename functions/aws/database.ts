import * as z from 'zod';
import { openMysql } from '../../lib/store/mysql.ts';
import { provider } from './provider.ts';
import { readSecret } from './secrets.ts';

/** A function runs one batch or request at a time; a second connection serves reads that ask two things at once. */
const connections = 2;

/**
 * The database MYSQL_URL (`mysql://user@host:port/database`). Its password lies in the secret MYSQL_SECRET, as the
 * member `password` of a JSON object, which is how RDS keeps it.
 */
export const database = provider({
  variables: { MYSQL_URL: z.url({ protocol: /^mysql$/ }), MYSQL_SECRET: z.string().min(1) },
  create: ({ MYSQL_URL, MYSQL_SECRET }) =>
    openMysql(MYSQL_URL, connections, async () => databaseSecret.parse(await readSecret(MYSQL_SECRET)).password),
});

const databaseSecret = z.preprocess((text) => JSON.parse(String(text)), z.object({ password: z.string() }));
