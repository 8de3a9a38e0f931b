import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { createBirpc } from 'birpc';
import { setLogLevel } from '../functions/runtime/observe/log.ts';
import type { WorkerServices } from '../functions/runtime/services.ts';
import { purgeSchedule } from '../functions/schedule/purge.ts';
import { rollUpSchedule } from '../functions/schedule/roll-up.ts';
import { searchWorker } from '../functions/workers/search.ts';
import { storeWorker } from '../functions/workers/store.ts';
import { SqliteSearchIndex } from '../lib/search/sqlite/sqlite-index.ts';
import { Database } from '../lib/sqlite/database.ts';
import { Generations } from '../lib/sqlite/generations.ts';
import { SqliteStore } from '../lib/store/sqlite/sqlite-store.ts';
import { Journal } from './journal.ts';
import { lambdaContext, scheduledEvent } from './lambda-events.ts';
import { type AcceptingThread, channel, type WorkerData, type WorkerThread } from './threads.ts';

// The worker thread: it alone writes the store and the search index, so that accepting never waits for storing.

if (!parentPort) throw new Error('This file is the worker thread of local/engine.ts');
const { storePath, generations, logLevel } = workerData as WorkerData;
setLogLevel(logLevel);

// Where both threads want the same processor, accepting comes first. Linux alone has priorities for threads, which it
// takes for processes (sched(7), "The nice value").
if (process.platform === 'linux')
  setPriority(Number(path.basename(readlinkSync('/proc/thread-self'))), constants.priority.PRIORITY_LOW);

const database = Database.open(storePath, { pairing: { file: 'store', generations: new Generations(generations) } });
const journal = new Journal(database, storePath);

const services: WorkerServices = {
  store: new SqliteStore(database),
  searchIndex: new SqliteSearchIndex(database),
  ledger: {
    counters: (parents) => acceptingThread.counters(parents),
    purge: (deleted, limit) => acceptingThread.purgeLedger(deleted, limit),
  },
  storeQueue: { bury: (letters) => acceptingThread.bury('store', letters) },
  searchQueue: {
    send: (bodies) => acceptingThread.sendToSearch(bodies),
    bury: (letters) => acceptingThread.bury('search', letters),
  },
};

const functions = {
  store: storeWorker(services),
  search: searchWorker(services),
  rollUp: rollUpSchedule(services),
  purge: purgeSchedule(services),
};

/** A purge stops after this long and goes on at the next tick, as it would on AWS. */
const purgeTimeMs = 15_000;

const acceptingThread = createBirpc<AcceptingThread, WorkerThread>(
  {
    storeBatch: (event) => {
      journal.keepSmall();
      return functions.store(event, lambdaContext('store'));
    },
    searchBatch: (event) => functions.search(event, lambdaContext('search')),
    rollUp: () => functions.rollUp(scheduledEvent(), lambdaContext('roll-up', 900_000)),
    purge: () => functions.purge(scheduledEvent(), lambdaContext('purge', purgeTimeMs)),
  },
  channel(parentPort),
);
parentPort.postMessage('ready');
