import type { MessagePort, Worker } from 'node:worker_threads';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { LogLevel } from '../functions/runtime/log.ts';
import type { Parent } from '../lib/ledger/ledger.ts';
import type { DeadLetter } from '../lib/queue/queue.ts';

// The two threads of the embedded engine, as each sees the other. The accepting thread serves HTTP and alone writes
// ledger.db; the worker thread alone writes store.db.

export interface AcceptingThread {
  counters(parents: Parent[]): Promise<(number | undefined)[]>;
  purgeLedger(deleted: Parent, limit: number): Promise<number>;
  sendToSearch(bodies: string[]): Promise<void>;
  bury(queue: 'store' | 'search', letters: DeadLetter[]): Promise<void>;
}

export interface WorkerThread {
  storeBatch(event: SQSEvent): Promise<SQSBatchResponse>;
  searchBatch(event: SQSEvent): Promise<SQSBatchResponse>;
  rollUp(): Promise<void>;
  purge(): Promise<void>;
}

export interface WorkerData {
  storePath: string;
  logLevel: LogLevel;
}

/** How calls travel between the two. They have no time limit: a batch takes as long as it takes. */
export const channel = (port: MessagePort | Worker) => ({
  post: (message: unknown) => port.postMessage(message),
  on: (listener: (message: unknown) => void) => port.on('message', listener) as never,
  timeout: -1,
});
