import type { Access } from '../../lib/access/access.ts';
import type { Cursors } from '../../lib/api/cursors.ts';
import type { Feed } from '../../lib/api/feed.ts';
import type { OperationId, ReadingRoute, Routes } from '../../lib/api/routes.ts';
import type { Publisher } from '../../lib/feed/publisher.ts';
import type { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import type { Ledger, LedgerReads } from '../../lib/ledger/ledger.ts';
import type { Version } from '../../lib/model/version.ts';
import type { DeadLetterQueue, Outbox } from '../../lib/queue/queue.ts';
import type { Provenance } from '../../lib/queue/records.ts';
import type { SearchIndex } from '../../lib/search/search-index.ts';
import type { Store } from '../../lib/store/store.ts';
import type { ChangeQueue, QueueName, QueueService } from '../queues.ts';
import type { Report } from './observe/report.ts';

/** The services of the API's handlers that only read. Each engine has its own. */
export interface ReadServices {
  ledger: LedgerReads;
  store: Store;
  searchIndex: SearchIndex;
  cursors: Cursors;
  feed: Feed;
  /** Makes and checks access tokens. Every route below an application has it, because the HTTP stack uses it. */
  access: Access;
}

/** The services of all of the API's handlers. */
export interface Services extends ReadServices {
  ledger: Ledger;
}

/**
 * The services that an operation's route needs, `access` if it is below an application, the admin key if one is set,
 * and the receiver of reports of accepted writes.
 */
export type ServicesOf<Id extends OperationId> = Pick<
  Routes[Id] extends ReadingRoute ? ReadServices : Services,
  Routes[Id]['needs'][number] | AccessOf<Id>
> & {
  adminKey?: string | undefined;
  report?: Report | undefined;
};

type AccessOf<Id extends OperationId> = Routes[Id]['allows'] extends 'no token' ? never : 'access';

/** What workers may do to the queues: move records to the dead letters, and send changes. */
type QueueServices = {
  [Name in QueueName as QueueService<Name>]: Name extends ChangeQueue ? Outbox & DeadLetterQueue : DeadLetterQueue;
};

/** Tells followers that versions can be read. */
export interface Announcer {
  /**
   * Called after the commit that made the versions, with the store and where the versions come from. When it throws,
   * the batch is retried. These versions may then never be announced, but a follower that gets a later version reads
   * from the store what it missed.
   */
  announce(versions: Version[], about: { provenance: Provenance; store: Pick<Store, 'steps'> }): Promise<void>;
}

/** What the workers and scheduled functions work with. */
export interface WorkerServices extends QueueServices {
  store: Store;
  searchIndex: SearchIndex;
  ledger: Pick<Ledger, 'counters' | 'purge'>;
  /** Without one, nothing is announced. */
  announcer?: Announcer | undefined;
  /** Without one, a report becomes a line of the log. */
  report?: Report | undefined;
}

/** The services of the worker of the feed queue, which runs on AWS only. */
export interface FeedServices {
  ledger: Pick<Ledger, 'accessGeneration'>;
  publisher: Publisher;
}

/** The versions of the system secret, as its rotation uses them. */
export interface SystemSecretVersions {
  /** Returns the text of the current version. */
  current(): Promise<string>;
  /** Stores the text as the current version, with this id. Does nothing when a version with this id exists. */
  replace(version: string, text: string): Promise<void>;
}

/** The services of the rotation of the system secret, which runs on AWS only. */
export interface RotationServices {
  systemSecretVersions: SystemSecretVersions;
}

/**
 * The services of the sweeper, which runs on AWS only: the embedded engine queues a write in the transaction that
 * accepts it.
 */
export interface SweepServices {
  parkedWrites: Pick<ParkedWrites, 'sweep'>;
  report?: Report | undefined;
}
