import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createBirpc } from 'birpc';
import { queues as queueList, queueNames } from '../functions/queues.ts';
import type { HttpHandler } from '../functions/runtime/http/operation.ts';
import { type LogLevel, log, logEvents } from '../functions/runtime/observe/log.ts';
import type { Services } from '../functions/runtime/services.ts';
import { Cursors } from '../lib/api/cursors.ts';
import type { OperationId } from '../lib/api/routes.ts';
import { rebuildingAt } from '../lib/search/sqlite/reindex.ts';
import { UnusableDatabase } from '../lib/sqlite/database.ts';
import { ShortPages } from '../lib/store/sqlite/short-pages.ts';
import { SqliteStore } from '../lib/store/sqlite/sqlite-store.ts';
import { fixedSecret } from '../lib/system-secret.ts';
import { openAccess } from './access.ts';
import { openEngineFiles } from './engine-files.ts';
import { EventSource } from './event-source.ts';
import { EmbeddedFeed } from './feed/embedded-feed.ts';
import { Hub } from './feed/hub.ts';
import { feedReads } from './feed/store-reads.ts';
import type { EngineState } from './metrics.ts';
import { loadOperation, pagedReads } from './operations.ts';
import { Readers } from './readers.ts';
import { every } from './schedule.ts';
import { shortReads } from './short-reads.ts';
import { systemSecretOf } from './system-secret.ts';
import { type AcceptingThread, channel, type WorkerData, type WorkerThread } from './threads.ts';

/** Time between two runs of the purge, in milliseconds. */
const purgeEveryMs = 2_000;
/** Queue messages are counted up to this number, because the count runs on the accepting thread: 5 ms at most. */
const mostCounted = 100_000;
/**
 * Stopping waits this long for the batches in progress, in milliseconds. Batches that are not done then are repeated
 * after the next start.
 */
const stopMs = 3_000;

export interface Engine {
  services: Pick<Services, 'ledger' | 'store' | 'access' | 'feed'>;
  /** The handlers of lists and searches. They run in reader processes, except for short pages of messages. */
  reads: ReadonlyMap<OperationId, HttpHandler>;
  /** Returns whether an application has this token. */
  isKnown(token: string): boolean;
  /** The number of open streams. */
  followers(): number;
  /** Returns what the metrics say of the engine. */
  state(): Promise<EngineState>;
  /** Ends all streams. Clients reconnect, so call it just before the server closes. */
  endStreams(): void;
  /** Resolves when the batches in progress are done and everything is on the disk. */
  stop(): Promise<void>;
}

/**
 * Starts the embedded engine on a data folder, and creates the folder if it does not exist. The ledger and the queues
 * run in this thread. The store and the search index run in a worker thread, and reads that can be slow run in reader
 * processes. Also starts the schedules.
 *
 * @throws UnusableDatabase, or the system's error when the folder cannot be created; nothing has been changed then.
 *   UnusableSystemSecret when the secret of the folder is damaged
 */
export async function startEngine(
  dataDir: string,
  rollupSeconds: number,
  logLevel: LogLevel,
  adminKey: string | undefined,
): Promise<Engine> {
  const files = await openEngineFiles(dataDir);
  const { storePath, storeDatabase, newestCommits, queues, ledger } = files;
  let systemSecret: string;
  try {
    systemSecret = systemSecretOf(dataDir);
  } catch (error) {
    await files.close();
    throw error;
  }
  if (rebuildingAt(storeDatabase)) {
    await files.close();
    throw new UnusableDatabase(storePath, 'has an unfinished search index; run script/ops reindex to finish it.');
  }

  const access = openAccess(systemSecret, ledger);
  const isKnown = (token: string) => ledger.hasApplication(token);
  const readers = new Readers({
    data: { storePath, logLevel, adminKey, systemSecret },
    ledger,
    isKnown,
    access,
  });
  const thread = new Worker(new URL('worker.ts', import.meta.url), {
    workerData: { storePath, newestCommits, logLevel } satisfies WorkerData,
  });
  await once(thread, 'message');
  await readers.started();
  let stopping = false;
  thread.on('error', (error) => log.critical(logEvents.workerDied, { error }));
  thread.on('exit', () => {
    // Without the worker thread nothing is stored and the queues only grow. A new start continues with what is on the
    // disk.
    if (!stopping) process.exit(1);
  });
  const store = new SqliteStore(storeDatabase);
  const hub = new Hub(feedReads(store, ledger, (parent, after) => readers.missed(parent, after)));
  const workerThread = createBirpc<WorkerThread, AcceptingThread>(
    {
      counters: (parents) => ledger.counters(parents),
      purgeLedger: (deleted, limit) => ledger.purge(deleted, limit),
      send: (queue, bodies) => queues[queue].send(bodies),
      addDeadLetters: (queue, deadLetters) => queues[queue].addDeadLetters(deadLetters),
      announce: (versions) => hub.announce(versions),
    },
    channel(thread),
  );

  const reads = new Map(pagedReads.map((id) => [id, readers.handler(id)]));
  const pages = {
    store: new ShortPages(storeDatabase),
    ledger,
    access,
    cursors: new Cursors(fixedSecret(systemSecret)),
  };
  reads.set(
    'listMessages',
    shortReads(await loadOperation('listMessages', { ...pages, adminKey }), readers.handler('listMessages')),
  );

  const sources = queueNames.map(
    (name) =>
      new EventSource(name, queues[name], (event) => workerThread.work(name, event), queueList[name].embeddedBatch),
  );
  for (const source of sources) source.start();
  const schedules = [
    every(rollupSeconds * 1_000, 'roll-up', () => workerThread.rollUp()),
    every(purgeEveryMs, 'purge', () => workerThread.purge()),
  ];

  return {
    services: { ledger, store, access, feed: new EmbeddedFeed(hub) },
    reads,
    isKnown,
    followers: () => hub.followers,
    state: async () => ({
      queues: await Promise.all(
        queueNames.map(async (queue) => ({
          queue,
          messages: queues[queue].messageCount(mostCounted),
          deadLetters: await queues[queue].deadLetterCount(),
        })),
      ),
      followers: hub.followers,
    }),
    endStreams: () => hub.stop(),
    async stop() {
      stopping = true;
      for (const schedule of schedules) schedule.stop();
      const timeout = new Promise((resolve) => setTimeout(resolve, stopMs).unref());
      // Stop the readers before the files are closed. The last connection that closes copies the journal into the file,
      // and a reader's connection cannot, because it is read-only.
      await readers.stop();
      await Promise.race([Promise.all(sources.map((source) => source.stop())), timeout]);
      await thread.terminate();
      await files.close();
    },
  };
}
