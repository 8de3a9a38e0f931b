import * as z from 'zod/mini';
import { limits } from '../../lib/limits.ts';
import { openMysql } from '../../lib/store/mysql/mysql-store.ts';
import { readDatabaseLogin } from './database-login.ts';
import { provider } from './provider.ts';

/** A function runs one batch or request at a time; a second connection serves reads that ask two things at once. */
const connections = 2;

/**
 * The database MYSQL_URL (`mysql://user@host:port/database`). The secret MYSQL_SECRET holds the password, and the user
 * where it is not the one in the URL: each function has the secret of a user that may do no more than the function does.
 *
 * MYSQL_USE says how long to wait for the database: `reads` (the default) for functions that answer a client within 3 s,
 * `work` for workers and schedules, `migration` for changing the tables. It is a variable because all use the same
 * database, and a function's environment does not hold its own time limit.
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
      login: () => readDatabaseLogin(MYSQL_SECRET),
    }),
});
