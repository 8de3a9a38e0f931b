import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBirpc } from 'birpc';
import type { LedgerReads } from '../../lib/ledger/ledger.ts';
import { processChannel, type ReaderData, type ReaderProcess } from '../../local/threads.ts';

// A reader process for the tests of the pool. The search text determines what happens to the read.

const behaviours: Record<string, (parameter: string) => unknown> = {
  echo: () => undefined,
  sleep: (milliseconds) => sleep(Number(milliseconds)),
  // A query that takes minutes without returning to JavaScript, so that only a kill ends it.
  hang: () =>
    new DatabaseSync(data.storePath, { readOnly: true })
      .prepare(
        `WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2e9)
         SELECT count(*) FROM sqlite_schema CROSS JOIN c`,
      )
      .get(),
  die: () => process.exit(3),
  fail: () => {
    throw new Error('a fault in a handler');
  },
  ledger: async (token) => JSON.stringify(await ledger.application(token)),
};

process.on('disconnect', () => process.exit());
const [data] = (await once(process, 'message')) as [ReaderData];
if (data.adminKey === 'fails to start') process.exit(4);
const ledger = createBirpc<LedgerReads, ReaderProcess>(
  {
    missed: () => Promise.reject(new Error('no test follows anything')),
    handle: async (_operation, event) => {
      const [behaviour = '', parameter = ''] = (event.queryStringParameters?.q ?? '').split(' ');
      const body = await behaviours[behaviour]?.(parameter);
      const result = { statusCode: 200, body: String(body ?? process.pid) };
      // Reports a sleep as processor time, because a busy machine can do many sleeps at once but not much work.
      return { result, cpuMs: behaviour === 'sleep' ? Number(parameter) : 0 };
    },
  },
  processChannel(process),
);
process.send?.('ready');
