import * as z from 'zod/mini';
import { limits } from '../../lib/limits.ts';
import { openMysql } from '../../lib/store/mysql.ts';
import { provider } from './provider.ts';
import { readSecret } from './secrets.ts';

/** A function runs one batch or request at a time; a second connection serves reads that ask two things at once. */
const connections = 2;

/**
 * The database MYSQL_URL (`mysql://user@host:port/database`). Its password lies in the secret MYSQL_SECRET, as the
 * member `password` of a JSON object, which is how RDS keeps it.
 *
 * MYSQL_USE says how long to wait for the database: `reads` (the default) for who must answer a client within 3 s,
 * `work` for workers and schedules, `migration` for changing the tables. It is a variable because the same database serves
 * all, and a function's own time limit stands nowhere in its environment.
 */
export const database = provider({
  variables: {
    MYSQL_URL: z.url({ protocol: /^mysql$/ }),
    MYSQL_SECRET: z.string().check(z.minLength(1)),
    MYSQL_USE: z._default(z.enum(['reads', 'work', 'migration']), 'reads'),
  },
  create: ({ MYSQL_URL, MYSQL_SECRET, MYSQL_USE }) =>
    openMysql(MYSQL_URL, {
      connections,
      waiting: limits.sqlMs[MYSQL_USE],
      password: async () => databaseSecret.parse(await readSecret(MYSQL_SECRET)).password,
    }),
});

const databaseSecret = z.pipe(
  z.transform((text: string) => JSON.parse(text)),
  z.object({ password: z.string() }),
);
