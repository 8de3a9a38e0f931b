import type { ChildProcess, Serializable } from 'node:child_process';
import type { MessagePort, Worker } from 'node:worker_threads';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { QueueName } from '../functions/queues.ts';
import type { LogLevel } from '../functions/runtime/observe/log.ts';
import type { OperationId } from '../lib/api/routes.ts';
import type { Parent } from '../lib/model/keys.ts';
import type { Version } from '../lib/model/version.ts';
import type { DeadLetter } from '../lib/queue/queue.ts';
import type { MissedPart } from './feed/store-reads.ts';

// The parts of the embedded engine that run concurrently, and what each may call on the others. The accepting thread
// serves HTTP, and only it writes ledger.db. Only the worker thread writes store.db. Reader processes only read
// store.db.

export interface AcceptingThread {
  counters(parents: Parent[]): Promise<(number | undefined)[]>;
  purgeLedger(deleted: Parent, limit: number): Promise<number>;
  send(queue: QueueName, bodies: string[]): Promise<void>;
  /** Adds to the dead letters of a queue. */
  addDeadLetters(queue: QueueName, deadLetters: DeadLetter[]): Promise<void>;
  /** Called when versions were committed. */
  announce(versions: Version[]): void;
}

export interface WorkerThread {
  /** Hands a batch of a queue to its worker. */
  work(queue: QueueName, event: SQSEvent): Promise<SQSBatchResponse>;
  rollUp(): Promise<void>;
  purge(): Promise<void>;
}

export interface WorkerData {
  storePath: string;
  /** The memory of the files' `NewestCommits`. */
  newestCommits: SharedArrayBuffer;
  logLevel: LogLevel;
}

export interface ReaderProcess {
  /** Runs the handler of a route. Returns its result and the processor time that it took, in milliseconds. */
  handle(
    operation: OperationId,
    event: APIGatewayProxyEvent,
    requestId: string,
  ): Promise<{ result: APIGatewayProxyResult; cpuMs: number }>;
  /** Reads what a follower missed. Also returns the processor time that it took, in milliseconds. */
  missed(parent: Parent, after: number): Promise<{ part: MissedPart; cpuMs: number }>;
}

/**
 * What a reader process needs to start. It is sent as the first message, because arguments and environment variables
 * would expose its secrets.
 */
export interface ReaderData {
  storePath: string;
  logLevel: LogLevel;
  adminKey: string | undefined;
  systemSecret: string;
}

/** How calls travel between two threads. They have no time limit, because a batch may take any time. */
export const channel = (port: MessagePort | Worker) => ({
  post: (message: unknown) => port.postMessage(message),
  on: (listener: (message: unknown) => void) => port.on('message', listener) as never,
  timeout: -1,
});

/** How calls travel between two processes. They have no time limit either: the pool kills a reader that takes too long. */
export const processChannel = (end: ChildProcess | NodeJS.Process) => ({
  post: (message: Serializable) => {
    end.send?.(message);
  },
  on: (listener: (message: unknown) => void) => end.on('message', listener) as never,
  timeout: -1,
});
