import { Duration } from 'aws-cdk-lib';
import type { AwsQueue, QueueService } from '../functions/queues.ts';
import type { feedWorker } from '../functions/workers/feed.ts';
import type { searchWorker } from '../functions/workers/search.ts';
import type { storeWorker } from '../functions/workers/store.ts';
import type { AlarmSpec } from './monitoring/alarm.ts';
import type { DeliverySize } from './sizes.ts';

/** The construct id and the texts of an alarm. infra/monitoring/background-alarms.ts adds the condition. */
type AlarmTexts = Pick<AlarmSpec, 'id' | 'description' | 'section'>;

/** The worker of each queue. A queue without a worker is a compile error. */
interface Workers {
  store: typeof storeWorker;
  search: typeof searchWorker;
  feed: typeof feedWorker;
}

/** The services of a worker other than queues and the report. infra/service-stack.ts connects the worker to each. */
type NeedOf<Name extends AwsQueue> = Exclude<keyof Parameters<Workers[Name]>[0], QueueService<AwsQueue> | 'report'>;
export type WorkerNeed = { [Name in AwsQueue]: NeedOf<Name> }[AwsQueue];

interface QueueResources<Need extends PropertyKey> {
  /** How SQS delivers records to the worker. */
  delivery: DeliverySize;
  /** The services that the worker takes, other than queues and the report. */
  needs: Record<Need, true>;
  /**
   * The descriptions of queue and worker on the dashboard, and the server that the worker writes to. On the dashboard, the
   * server is the column after the worker.
   */
  dashboard: { queue: string; worker: string; server?: 'mysql' | 'search' };
  alarms: {
    /** The oldest record has waited for more than a minute. */
    age: AlarmTexts;
    /** Batches keep failing. */
    failing: AlarmTexts;
    /** Batches are processed more than a minute after their writes were accepted. */
    lag: AlarmTexts;
    /** There is a dead letter. */
    deadLetters: AlarmTexts;
  };
}

/** The settings of the AWS engine that differ from queue to queue (functions/queues.ts lists the queues). */
export const queueResources: { [Name in AwsQueue]: QueueResources<NeedOf<Name>> } = {
  store: {
    /**
     * A record holds the writes of one request, usually a single write. So a batch holds about as many writes as one
     * transaction merges (limits.rowsPerTransaction). A window of one second fills batches under load, and a message is
     * still readable within seconds. Five concurrent transactions keep a small database busy; more would wait for each
     * other's locks.
     */
    delivery: { batchSize: 1_000, window: Duration.seconds(1), maxConcurrency: 5 },
    needs: { store: true, announcer: true },
    dashboard: {
      queue: 'Accepted writes, not stored yet → the store worker',
      worker: 'Writes become rows → the search queue',
      server: 'mysql',
    },
    alarms: {
      age: {
        id: 'StoreQueueAge',
        description:
          'Readers do not see writes that were accepted more than a minute ago: the store worker cannot keep up. Nothing is lost.',
        section: 'Accepted messages are not readable',
      },
      failing: {
        id: 'StoreFails',
        description:
          'Readers do not see new writes: batches of the store worker keep failing, for example because MySQL is unavailable. Nothing is lost.',
        section: 'Accepted messages are not readable',
      },
      lag: {
        id: 'StoredLag',
        description:
          'Readers see new messages late: a write, parked writes included, takes more than a minute from acceptance to MySQL. Nothing is lost.',
        section: 'Accepted messages are not readable',
      },
      deadLetters: {
        id: 'StoreDeadLetters',
        description:
          'Readers will not see an accepted write until an operator acts: the store worker moved it to the dead letters.',
        section: 'Dead letters of the store queue',
      },
    },
  },
  search: {
    /** A record names up to 1,000 changes. Few bulk requests run at once, so that searches still get CPU time. */
    delivery: { batchSize: 100, window: Duration.seconds(1), maxConcurrency: 3 },
    needs: { store: true, searchIndex: true },
    dashboard: {
      queue: 'Stored writes, not searchable yet → the search worker',
      worker: 'Rows become documents → OpenSearch',
      server: 'search',
    },
    alarms: {
      age: {
        id: 'SearchQueueAge',
        description:
          'Searches do not find writes that were accepted more than a minute ago: the search worker cannot keep up. Nothing is lost.',
        section: 'New messages are not found',
      },
      failing: {
        id: 'IndexFails',
        description:
          'Searches do not find new writes: batches of the search worker keep failing, for example because OpenSearch or MySQL is unavailable. Nothing is lost.',
        section: 'New messages are not found',
      },
      lag: {
        id: 'IndexedLag',
        description:
          'Searches find new messages late: a write takes more than a minute from acceptance to the search index. Nothing is lost.',
        section: 'New messages are not found',
      },
      deadLetters: {
        id: 'SearchDeadLetters',
        description:
          'Searches will not find some readable messages until an operator acts: the search worker moved their record to the dead letters.',
        section: 'Dead letters of the search queue',
      },
    },
  },
  feed: {
    /**
     * No window, because with one, however short, a record in a quiet queue may wait up to 20 s (docs/scaling.md).
     * Without a window, SQS delivers at most ten records at once. That is enough, because records are few: a record has
     * the steps of a whole batch of the store worker, whose queue has a window. If a request to AppSync takes 20 ms,
     * five concurrent batches with 20 requests at a time each make 5,000 requests a second. AppSync's default quota is
     * 10,000 published events a second.
     */
    delivery: { batchSize: 10, window: Duration.seconds(0), maxConcurrency: 5 },
    needs: { ledger: true, publisher: true },
    dashboard: {
      queue: 'Stored changes, not published yet → the feed worker',
      worker: 'Changes become events → AppSync Events',
    },
    alarms: {
      age: {
        id: 'FeedQueueAge',
        description:
          'Clients that follow changes get them more than a minute late: the feed worker cannot keep up. Nothing is lost.',
        section: 'Changes are not live',
      },
      failing: {
        id: 'PublishFails',
        description:
          'Clients that follow changes do not get new ones: batches of the feed worker keep failing, for example because AppSync is unavailable. Nothing is lost.',
        section: 'Changes are not live',
      },
      lag: {
        id: 'PublishedLag',
        description:
          'Clients that follow changes get them late: a write takes more than a minute from acceptance to the feed. Nothing is lost.',
        section: 'Changes are not live',
      },
      deadLetters: {
        id: 'FeedDeadLetters',
        description:
          'Clients that follow changes lack some of them until they next read the changes: the feed worker moved a record to the dead letters.',
        section: 'Dead letters of the feed queue',
      },
    },
  },
};
