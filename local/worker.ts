import { readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { createBirpc } from 'birpc';
import { perQueueService } from '../functions/queues.ts';
import { setLogLevel } from '../functions/runtime/observe/log.ts';
import type { WorkerServices } from '../functions/runtime/services.ts';
import { purgeSchedule } from '../functions/schedule/purge.ts';
import { rollUpSchedule } from '../functions/schedule/roll-up.ts';
import type { DeadLetter } from '../lib/queue/queue.ts';
import { SqliteSearchIndex } from '../lib/search/sqlite/sqlite-index.ts';
import { NewestCommits } from '../lib/sqlite/commit-numbers.ts';
import { Database } from '../lib/sqlite/database.ts';
import { SqliteStore } from '../lib/store/sqlite/sqlite-store.ts';
import { Journal } from './journal.ts';
import { lambdaContext, scheduledEvent } from './lambda-events.ts';
import { type AcceptingThread, channel, type WorkerData, type WorkerThread } from './threads.ts';
import { makeWorkers } from './workers.ts';

// The worker thread. Only it writes the store and the search index, so that accepting never waits for storing.

if (!parentPort) throw new Error('This file is the worker thread of local/engine.ts');
const { storePath, newestCommits, logLevel } = workerData as WorkerData;
setLogLevel(logLevel);

// When both threads want the same processor, accepting comes first. Only Linux has a nice value for each thread, and
// sets it by the thread's id as if that were a process id (sched(7), "The nice value").
if (process.platform === 'linux') {
  const thread = Number(path.basename(readlinkSync('/proc/thread-self')));
  // If the host itself has a higher nice value, keep it, because only root may lower one.
  setPriority(thread, Math.max(getPriority(thread), constants.priority.PRIORITY_LOW));
}

const database = Database.open(storePath, {
  pairing: { file: 'store', newestCommits: new NewestCommits(newestCommits) },
});
const journal = new Journal(database, storePath);

const services: WorkerServices = {
  store: new SqliteStore(database),
  searchIndex: new SqliteSearchIndex(database),
  ledger: {
    counters: (parents) => acceptingThread.counters(parents),
    purge: (deleted, limit) => acceptingThread.purgeLedger(deleted, limit),
  },
  announcer: {
    // Do not wait for the announcement: the batch is complete, and a version whose announcement is lost is sent with
    // the next one.
    announce: async (versions) => acceptingThread.announce.asEvent(versions),
  },
  ...perQueueService((queue) => ({
    send: (bodies: string[]) => acceptingThread.send(queue, bodies),
    addDeadLetters: (deadLetters: DeadLetter[]) => acceptingThread.addDeadLetters(queue, deadLetters),
  })),
};

const workers = await makeWorkers(services);
const schedules = {
  rollUp: rollUpSchedule(services),
  purge: purgeSchedule(services),
};

/**
 * Time limit of a purge, in milliseconds. The purge starts no step in the last 5 s of it, and continues in the next
 * run, as on AWS.
 */
const purgeTimeMs = 15_000;

const acceptingThread = createBirpc<AcceptingThread, WorkerThread>(
  {
    work: (queue, event) => {
      journal.keepSmall();
      return workers[queue](event, lambdaContext(queue));
    },
    rollUp: () => schedules.rollUp(scheduledEvent(), lambdaContext('roll-up', 900_000)),
    purge: () => schedules.purge(scheduledEvent(), lambdaContext('purge', purgeTimeMs)),
  },
  channel(parentPort),
);
parentPort.postMessage('ready');
