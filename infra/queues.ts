import { Duration } from 'aws-cdk-lib';
import type { QueueName, QueueService } from '../functions/queues.ts';
import type { searchWorker } from '../functions/workers/search.ts';
import type { storeWorker } from '../functions/workers/store.ts';
import type { FeedSize } from './sizes.ts';

/** What an alarm says is broken for whom, and the section of docs/runbook.md that goes on from there. */
interface AlarmTexts {
  id: string;
  says: string;
  section: string;
}

/** The worker of each queue. A queue of the list without one is a compile error. */
interface Workers {
  store: typeof storeWorker;
  search: typeof searchWorker;
}

/** The services that a worker takes beside the queues and the report. infra/service-stack.ts says how each is reached. */
type NeedOf<Name extends QueueName> = Exclude<keyof Parameters<Workers[Name]>[0], QueueService | 'report'>;
export type WorkerNeed = { [Name in QueueName]: NeedOf<Name> }[QueueName];

interface QueueResources<Need extends PropertyKey> {
  feed: FeedSize;
  /** The services that its worker takes beside the queues and the report: exactly those. */
  needs: Record<Need, true>;
  /** What the dashboard says of the queue and of its worker, and the server whose step follows the worker's. */
  dashboard: { queue: string; worker: string; server?: 'mysql' | 'search' };
  alarms: {
    /** The oldest record waits for more than a minute. */
    age: AlarmTexts;
    /** Batches fail minute after minute. */
    failing: AlarmTexts;
    /** Batches are done more than a minute after their writes were accepted. */
    lag: AlarmTexts;
    deadLetters: AlarmTexts;
  };
}

/** What the AWS engine has for each queue of functions/queues.ts beside what is the same for all. */
export const queueResources: { [Name in QueueName]: QueueResources<NeedOf<Name>> } = {
  store: {
    /**
     * Single writes: as many as one transaction takes (limits.rowsPerTransaction); a second of waiting fills it under
     * load, and a message is readable within seconds without. Five transactions at once keep a small database busy; more
     * would wait for each other's locks.
     */
    feed: { batchSize: 1_000, window: Duration.seconds(1), maxConcurrency: 5 },
    needs: { store: true },
    dashboard: {
      queue: 'Accepted, not stored → the store worker',
      worker: 'Writes become rows → the search queue',
      server: 'mysql',
    },
    alarms: {
      age: {
        id: 'StoreQueueAge',
        says: 'Readers do not see what was accepted more than a minute ago: the store worker does not keep up. Nothing is lost.',
        section: 'Accepted messages are not readable',
      },
      failing: {
        id: 'StoreFails',
        says: 'Readers do not see what is accepted: the store worker fails time after time, as when MySQL is out. Nothing is lost.',
        section: 'Accepted messages are not readable',
      },
      lag: {
        id: 'StoredLag',
        says: 'Readers see new messages more than a minute late: from acceptance to MySQL, parked writes included. Nothing is lost.',
        section: 'Accepted messages are not readable',
      },
      deadLetters: {
        id: 'StoreDeadLetters',
        says: 'An accepted write is missing for its readers, and stays so: the store worker moved it to the dead letters.',
        section: 'Dead letters of the store queue',
      },
    },
  },
  search: {
    /** A record names up to 1,000 changes. Few bulks at once, so that searches are answered in between. */
    feed: { batchSize: 100, window: Duration.seconds(1), maxConcurrency: 3 },
    needs: { store: true, searchIndex: true },
    dashboard: {
      queue: 'Stored, not found yet → the search worker',
      worker: 'Rows become documents → OpenSearch',
      server: 'search',
    },
    alarms: {
      age: {
        id: 'SearchQueueAge',
        says: 'Searches do not find what was accepted more than a minute ago: the search worker does not keep up. Nothing is lost.',
        section: 'New messages are not found',
      },
      failing: {
        id: 'IndexFails',
        says: 'Searches do not find what is accepted: the search worker fails time after time, as when OpenSearch or MySQL is out. Nothing is lost.',
        section: 'New messages are not found',
      },
      lag: {
        id: 'IndexedLag',
        says: 'Searches find new messages more than a minute late, from acceptance to the search index. Nothing is lost.',
        section: 'New messages are not found',
      },
      deadLetters: {
        id: 'SearchDeadLetters',
        says: 'Some messages can be read and are never found: the search worker moved their record to the dead letters.',
        section: 'Dead letters of the search queue',
      },
    },
  },
};
