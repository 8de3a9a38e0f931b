import { once } from 'node:events';
import { flushCompileCache } from 'node:module';
import { createBirpc } from 'birpc';
import type { HttpHandler } from '../functions/runtime/http/operation.ts';
import { setLogLevel } from '../functions/runtime/observe/log.ts';
import { Cursors } from '../lib/api/cursors.ts';
import { type OperationId, routes } from '../lib/api/routes.ts';
import type { LedgerReads } from '../lib/ledger/ledger.ts';
import { SqliteSearchIndex } from '../lib/search/sqlite/sqlite-index.ts';
import { Database } from '../lib/sqlite/database.ts';
import { SqliteStore } from '../lib/store/sqlite/sqlite-store.ts';
import { fixedSecret } from '../lib/system-secret.ts';
import { openAccess } from './access.ts';
import { missedPart } from './feed/store-reads.ts';
import { requestContext } from './lambda-events.ts';
import { loadOperation, pagedReads } from './operations.ts';
import { processChannel, type ReaderData, type ReaderProcess } from './threads.ts';

// A reader process: it runs the handlers of reads that can be slow, on a connection of its own that cannot write. The
// pool in readers.ts kills it when a read takes too long.

if (!process.send) throw new Error('This file is a reader process of local/readers.ts');
// A terminal or a service manager may signal the whole group. The accepting process decides when reading ends, because
// it finishes the requests in progress first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit());
// If the accepting process is killed while this one starts, sending the first message fails before `disconnect` comes.
process.on('error', () => process.exit());

const [data] = (await once(process, 'message')) as [ReaderData];
setLogLevel(data.logLevel);

const database = Database.open(data.storePath, { readOnly: true });
// Half of the writer's cache, because there are several readers. Other pages come from the system's file cache.
database.raw.exec('PRAGMA cache_size = -8000');

/** A process works on one read at a time, so all its processor time belongs to this read. */
async function measured<Result>(work: () => Promise<Result>): Promise<{ result: Result; cpuMs: number }> {
  const startedAt = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(startedAt);
  return { result, cpuMs: (user + system) / 1_000 };
}

const store = new SqliteStore(database);
const handlers = new Map<OperationId, HttpHandler>();
const ledger = createBirpc<LedgerReads, ReaderProcess>(
  {
    handle: async (operation, event, requestId) => {
      const handler = handlers.get(operation);
      if (!handler) throw new Error(`No reader serves ${operation}`);
      return measured(() => handler(event, requestContext(routes[operation].path, requestId)));
    },
    missed: async (parent, after) => {
      const { result: part, cpuMs } = await measured(() => missedPart(store, parent, after));
      return { part, cpuMs };
    },
  },
  processChannel(process),
);

const ledgerReads: LedgerReads = {
  application: (token) => ledger.application(token),
  chat: (token, chat) => ledger.chat(token, chat),
  hasMessage: (token, chat, number) => ledger.hasMessage(token, chat, number),
  accessGeneration: (token) => ledger.accessGeneration(token),
};
const services = {
  store,
  searchIndex: new SqliteSearchIndex(database),
  ledger: ledgerReads,
  cursors: new Cursors(fixedSecret(data.systemSecret)),
  access: openAccess(data.systemSecret, ledgerReads),
  adminKey: data.adminKey,
};
for (const id of pagedReads) handlers.set(id, await loadOperation(id, services));
process.send('ready');
// Node.js writes its compile cache when a process exits, but this process is killed. Without the cache, each start
// takes 0.2 s longer and loads the TypeScript compiler.
flushCompileCache();
