import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { log, logEvents } from '../functions/runtime/observe/log.ts';
import { retryDelaySeconds } from '../functions/runtime/worker.ts';
import type { Delivery, Queue } from '../lib/queue/queue.ts';
import { sqsEvent } from './lambda-events.ts';

/** Delay after a failure of the queue itself, in milliseconds. */
const queueFailedDelayMs = 1_000;

/** Node.js fires timers with a longer delay at once. */
const longestTimerMs = 2 ** 31 - 1;

/** A queue that tells when to poll it again. */
export interface PolledQueue extends Pick<Queue, 'receive' | 'acknowledge' | 'release'> {
  /** Calls the listener after messages were sent. */
  onMessages(listener: () => void): void;
  /** Returns in how many milliseconds the next message is due; undefined if there is none. */
  nextInMs(): number | undefined;
}

/** Does what an SQS event source mapping does on AWS: it passes the batches of a queue to a worker, one at a time. */
export class EventSource {
  readonly #name: string;
  readonly #queue: PolledQueue;
  readonly #worker: (event: SQSEvent) => Promise<SQSBatchResponse>;
  readonly #batchSize: number;
  #stopped = false;
  #wake = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;

  constructor(
    name: string,
    queue: PolledQueue,
    worker: (event: SQSEvent) => Promise<SQSBatchResponse>,
    batchSize: number,
  ) {
    this.#name = name;
    this.#queue = queue;
    this.#worker = worker;
    this.#batchSize = batchSize;
  }

  start(): void {
    this.#queue.onMessages(() => this.#wake.resolve());
    this.#running = this.#run();
  }

  /** Resolves after the batch in progress. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#wake = Promise.withResolvers();
      try {
        const deliveries = await this.#queue.receive(this.#batchSize);
        if (deliveries.length > 0) await this.#deliver(deliveries);
        else await this.#sleep(this.#queue.nextInMs());
      } catch (error) {
        // The queue itself failed, for instance because the disk is full. Messages in flight are delivered again after
        // their visibility timeouts.
        log.error(logEvents.queueFailed, { queue: this.#name, error: error as Error });
        await this.#sleep(queueFailedDelayMs);
      }
    }
  }

  async #deliver(deliveries: Delivery[]): Promise<void> {
    let failed: Set<string>;
    try {
      const { batchItemFailures } = await this.#worker(sqsEvent(this.#name, deliveries));
      failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    } catch (error) {
      log.error(logEvents.batchFailed, { queue: this.#name, error: error as Error });
      failed = new Set(deliveries.map(({ receipt }) => receipt));
    }
    await this.#queue.acknowledge(
      deliveries.filter(({ receipt }) => !failed.has(receipt)).map(({ receipt }) => receipt),
    );
    const released = deliveries.filter(({ receipt }) => failed.has(receipt));
    await Promise.all(
      released.map(({ receipt, receives }) => this.#queue.release([receipt], retryDelaySeconds(receives))),
    );
  }

  /**
   * Sleeps until something is sent, or until the time is over if one is given. A longer time than
   * {@link longestTimerMs} is shortened to it.
   */
  async #sleep(milliseconds: number | undefined): Promise<void> {
    const timer =
      milliseconds === undefined ? undefined : setTimeout(this.#wake.resolve, Math.min(milliseconds, longestTimerMs));
    await this.#wake.promise;
    clearTimeout(timer);
  }
}
