import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { backingOff } from '../../functions/aws/back-off.ts';
import { type AuthorizerEvent, feedAuthorizer } from '../../functions/feed/authorizer.ts';
import { type AwsQueue, awsQueues, perQueueService, queueNames, queueService } from '../../functions/queues.ts';
import type { LambdaHandler } from '../../functions/runtime/lambda.ts';
import type { FeedServices, Services, SweepServices, WorkerServices } from '../../functions/runtime/services.ts';
import { purgeSchedule } from '../../functions/schedule/purge.ts';
import { rollUpSchedule } from '../../functions/schedule/roll-up.ts';
import { sweepSchedule } from '../../functions/schedule/sweep.ts';
import { feedWorker } from '../../functions/workers/feed.ts';
import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { chatKey } from '../../lib/ledger/dynamodb/keys.ts';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { earlierReservation } from '../../lib/ledger/dynamodb/reservations.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import { limits } from '../../lib/limits.ts';
import { SqsQueue } from '../../lib/queue/sqs/sqs-queue.ts';
import type { Difference } from '../../lib/reconcile/difference.ts';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import type { SearchIndex } from '../../lib/search/search-index.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import type { Database } from '../../lib/sqlite/database.ts';
import { lambdaContext, scheduledEvent } from '../../local/lambda-events.ts';
import { loadWorkers } from '../../local/workers.ts';
import { testAccess } from '../support/client/access.ts';
import { testCursors } from '../support/client/cursors.ts';
import { SimulatedAppsync } from './appsync.ts';
import { random } from './chance.ts';
import { emptyDatabase, failure, SimulatedStore } from './database.ts';
import { sleep, trueTime } from './determinism.ts';
import { SimulatedTable } from './dynamodb.ts';
import { Faults } from './faults.ts';
import { SimulatedHost } from './host.ts';
import { type Ending, Process } from './process.ts';
import { SimulatedQueue, sqsClient } from './sqs.ts';

/**
 * Milliseconds: the longest time limit of a schedule in infra/sizes.ts, and the visibility timeout that follows from a
 * worker's time limit.
 */
const scheduleMs = 15 * 60_000;
const visibilityMs = 6 * limits.workerMs + 1_000;
/** Milliseconds after which the authorizer is ended. */
const authorizerMs = 10_000;
const minute = 60_000;

/** Concurrent workers of each queue. */
const lanes = 2;
const longestBatch = 12;

type DeadQueueName = `${AwsQueue}-dead`;
const deadQueueName = (name: AwsQueue): DeadQueueName => `${name}-dead`;

/** The services of every function. */
interface Simulated extends Omit<Services, 'searchIndex'>, WorkerServices, FeedServices, SweepServices {
  ledger: DynamodbLedger;
  storeQueue: SqsQueue;
  searchQueue: SqsQueue;
  feedQueue: SqsQueue;
  parkedWrites: ParkedWrites;
}

// Loaded before any simulation starts, because loading takes real time.
const workers = await loadWorkers();

/** The whole system in one process: the functions over simulated services. */
export class World {
  readonly faults = new Faults();
  readonly table = new SimulatedTable(trueTime);
  /** The queues and their dead-letter queues by URL. */
  readonly queues: Record<AwsQueue | DeadQueueName, SimulatedQueue> = Object.fromEntries(
    awsQueues.flatMap((name) => [name, deadQueueName(name)]).map((url) => [url, new SimulatedQueue(this.faults)]),
  ) as World['queues'];
  readonly database: Database;
  readonly searchIndex: SqliteSearchIndex;
  /** What brings changes to followers: AppSync, as on AWS, or the hub of the embedded engine. */
  readonly live: SimulatedAppsync | SimulatedHost;
  #running = 0;
  #stopped = false;

  private constructor(database: Database) {
    this.database = database;
    this.searchIndex = new SqliteSearchIndex(database);
    this.live = random.chance(0.6)
      ? new SimulatedAppsync(this.faults, (event) => this.#isAuthorized(event))
      : new SimulatedHost(this.faults, (process) => this.services(process));
  }

  static async open(): Promise<World> {
    return new World(await emptyDatabase());
  }

  /** Returns the functions' services as a process reaches them. */
  services(process: Process): Simulated {
    const table = new DynamodbTable(this.table.client(process), 'ledger');
    const sqs = sqsClient(process, this.queues, this.faults);
    const queues = {
      ...perQueueService((name) => new SqsQueue(sqs, name, deadQueueName(name))),
      feedQueue: new SqsQueue(sqs, 'feed', deadQueueName('feed')),
    };
    const parked = new ParkedWrites(table, queues.storeQueue);
    const ledger = new DynamodbLedger(table, parked);
    return {
      ledger,
      access: testAccess(ledger),
      announcer: this.live.announcer(queues.feedQueue),
      publisher: this.live.publisher(process),
      feed: this.live.feed,
      store: new SimulatedStore(process, this.database),
      searchIndex: remoteIndex(process, this.searchIndex),
      ...queues,
      parkedWrites: parked,
      cursors: testCursors(),
    };
  }

  /** Runs a function once in a process of its own. */
  async invoke<Event, Result>(
    task: string,
    timeMs: number,
    handler: (services: ReturnType<World['services']>) => LambdaHandler<Event, Result>,
    event: Event,
  ): Promise<{ ending: Ending<Result>; process: Process }> {
    const process = new Process(this.faults, task);
    const run = handler(this.services(process));
    return { process, ending: await process.run(timeMs, () => run(event, lambdaContext(task, timeMs))) };
  }

  /**
   * Adds reservations to the item of a chat, as an earlier release of the ledger left them there when requests with a
   * key died two days ago.
   */
  addEarlierReservations(token: string, chat: number, count: number): void {
    const key = chatKey(token, chat);
    const [item] = this.table.itemsIn(key.pk).filter(({ pk, sk }) => pk?.S === key.pk && sk?.S === key.sk);
    if (!item?.claims) return;
    const begun = trueTime() - 2 * limits.idempotencyMs;
    const names = Array.from({ length: count }, (_, i) => earlierReservation('x'.repeat(43), begun + i));
    const reservations = Object.fromEntries(names.map((name) => [name, { N: '0' }]));
    this.table.put({ ...item, claims: { M: { ...item.claims.M, ...reservations } } });
  }

  /** Starts the event sources and the schedules. */
  start(): void {
    for (let lane = 0; lane < lanes; lane++) {
      for (const name of queueNames)
        void this.#source(this.queues[name], `${name} worker`, (services) =>
          backingOff(workers[name](services), services[queueService(name)]),
        );
      void this.#source(this.queues.feed, 'feed worker', (services) =>
        backingOff(feedWorker(services), services.feedQueue),
      );
    }
    this.live.start();
    void this.#schedule('roll-up', rollUpSchedule);
    void this.#schedule('sweep', sweepSchedule);
    void this.#schedule('purge', purgeSchedule);
  }

  /** Prevents further batches and schedules from starting. */
  stop(): void {
    this.#stopped = true;
  }

  /** Returns whether nothing is queued, parked or in progress, and every deletion has been purged once. */
  isQuiet(): boolean {
    return (
      this.#running === 0 &&
      awsQueues.every((name) => this.queues[name].messages.size === 0) &&
      this.table.itemsIn('parked/').length === 0 &&
      this.database.raw.prepare('SELECT 1 FROM purges WHERE pass = 1').get() === undefined
    );
  }

  /** Runs the purge once for everything that is due. */
  async purge(): Promise<void> {
    await this.invoke('purge', scheduleMs, purgeSchedule, scheduledEvent());
  }

  async rollUp(): Promise<void> {
    await this.invoke('roll-up', scheduleMs, rollUpSchedule, scheduledEvent());
  }

  /** Takes all dead letters out of their queues, as an operator does, and returns them. */
  takeDeadLetters(): { body: string; reason: string | undefined }[] {
    return awsQueues.flatMap((name) => {
      const { messages } = this.queues[deadQueueName(name)];
      const deadLetters = [...messages.values()];
      messages.clear();
      return deadLetters;
    });
  }

  /** Reconciles and repairs everything, and returns the differences. */
  async reconcile(): Promise<Difference[]> {
    const services = this.services(new Process(this.faults, 'reconcile'));
    const differences: Difference[] = [];
    const all = { ...services, waitingWrites: services.parkedWrites };
    for await (const each of reconcile(all, { now: Date.now(), repair: true })) differences.push(each);
    return differences;
  }

  /** Asks the authorizer of the Event API. */
  async #isAuthorized(event: AuthorizerEvent): Promise<boolean> {
    const { ending } = await this.invoke('authorizer', authorizerMs, feedAuthorizer, event);
    return ending.kind === 'answered' && ending.result.isAuthorized;
  }

  /**
   * Acts as an event source mapping: gives batches to the worker, and deletes the messages that it does not report as
   * failed.
   */
  async #source(
    queue: SimulatedQueue,
    name: string,
    worker: (services: ReturnType<World['services']>) => LambdaHandler<SQSEvent, SQSBatchResponse>,
  ): Promise<void> {
    while (!this.#stopped) {
      const event = queue.receive(random.between(1, longestBatch), visibilityMs);
      if (!event) {
        await sleep(random.between(500, 3_000));
        continue;
      }
      const { ending } = await this.#busy(() => this.invoke(name, limits.workerMs, worker, event));
      // A message whose deletion is lost is redelivered, like all messages of a failed batch.
      if (ending.kind !== 'answered' || this.faults.chance(this.faults.duplicates)) continue;
      const failed = new Set(ending.result.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      for (const { messageId } of event.Records) if (!failed.has(messageId)) queue.messages.delete(messageId);
    }
  }

  async #schedule(
    name: string,
    handler: (services: ReturnType<World['services']>) => LambdaHandler<ReturnType<typeof scheduledEvent>, void>,
  ): Promise<void> {
    while (!this.#stopped) {
      await sleep(minute);
      if (this.#stopped) return;
      // EventBridge may run a schedule twice, and start a run while the previous one is in progress.
      for (let runs = this.faults.chance(this.faults.duplicates) ? 2 : 1; runs > 0; runs--)
        void this.#busy(() => this.invoke(name, scheduleMs, handler, scheduledEvent()));
    }
  }

  async #busy<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
    }
  }
}

function remoteIndex(process: Process, index: SearchIndex): SearchIndex {
  return {
    index: (documents) => process.call('search', () => index.index(documents), failure),
    search: (query) => process.call('search', () => index.search(query), failure),
    versions: (...page) => process.call('search', () => index.versions(...page), failure),
    document: (key) => process.call('search', () => index.document(key), failure),
    purge: (target, limit) => process.call('search', () => index.purge(target, limit), failure),
  };
}
