import * as z from 'zod/mini';
import { limits } from '../../lib/limits.ts';
import { openMysql } from '../../lib/store/mysql/mysql-store.ts';
import { readDatabaseLogin } from './database-login.ts';
import { provider } from './provider.ts';

/**
 * A function handles one batch or request at a time. The second connection is for reads that run two queries at once.
 */
const connections = 2;

/**
 * The database MYSQL_URL (`mysql://user@host:port/database`). The secret MYSQL_SECRET has the password, and the user
 * when it is not the one in the URL. Each function has the secret of a user with no more privileges than the function
 * needs.
 *
 * MYSQL_USE selects the time limits of queries: `reads` (the default) for functions that respond to a client within 3
 * s, `work` for workers and schedules, `migration` for changing the tables. The deployment sets it, because a function
 * cannot derive it: the function's own time limit is not in its environment.
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
      timeouts: limits.sqlMs[MYSQL_USE],
      login: () => readDatabaseLogin(MYSQL_SECRET),
    }),
});
