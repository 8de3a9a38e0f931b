import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { events, log } from '../functions/runtime/observe/log.ts';
import { retryDelaySeconds } from '../functions/runtime/worker.ts';
import type { Delivery, Queue } from '../lib/queue/queue.ts';
import { sqsEvent } from './lambda-events.ts';

/** After a failure of the queue itself. */
const queueFailedDelayMs = 1_000;

/** Node.js fires timers with a longer delay at once. */
const longestTimerMs = 2 ** 31 - 1;

/** A queue, and how to know when to look at it again. */
export interface PolledQueue extends Pick<Queue, 'receive' | 'acknowledge' | 'release'> {
  /** Calls back when something was sent. */
  onMessages(listener: () => void): void;
  /** In how many milliseconds the next message is due; undefined when none is known of. */
  nextInMs(): number | undefined;
}

/** What SQS event source mappings do on AWS: takes batches from a queue to a worker, one at a time. */
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

  /** Ends after the batch under way. */
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
        // The queue itself fails, as on a full disk. What was in hand comes again once its visibility is over.
        log.error(events.queueFailed, { queue: this.#name, error: error as Error });
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
      log.error(events.batchFailed, { queue: this.#name, error: error as Error });
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

  /** Sleeps for so many milliseconds, or at most as long as a timer can, and until something is sent. */
  async #sleep(milliseconds: number | undefined): Promise<void> {
    const timer =
      milliseconds === undefined ? undefined : setTimeout(this.#wake.resolve, Math.min(milliseconds, longestTimerMs));
    await this.#wake.promise;
    clearTimeout(timer);
  }
}
