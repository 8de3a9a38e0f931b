import type { Cursors } from '../../lib/api/cursors.ts';
import type { OperationId, Routes } from '../../lib/api/routes.ts';
import type { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import type { DeadLetterBox, Outbox } from '../../lib/queue/queue.ts';
import type { SearchIndex } from '../../lib/search/search-index.ts';
import type { Store } from '../../lib/store/store.ts';
import type { Report } from './observe/report.ts';

/** What the API's handlers work with; each engine has its own. */
export interface Services {
  ledger: Ledger;
  store: Store;
  searchIndex: SearchIndex;
  cursors: Cursors;
}

/** The services that an operation's route asks for, the admin key where one is set, and where accepted writes are reported. */
export type ServicesOf<Id extends OperationId> = Pick<Services, Routes[Id]['needs'][number]> & {
  adminKey?: string | undefined;
  report?: Report | undefined;
};

/** What the workers and scheduled functions work with. */
export interface WorkerServices {
  store: Store;
  searchIndex: SearchIndex;
  ledger: Pick<Ledger, 'counters' | 'purge'>;
  storeQueue: DeadLetterBox;
  searchQueue: Outbox & DeadLetterBox;
  /** Without one, a report is a line of the log. */
  report?: Report | undefined;
}

/** The versions of the system secret, as its rotation sees them. */
export interface SystemSecretVersions {
  /** Returns the text of the current version. */
  current(): Promise<string>;
  /** Makes the text the current version under this id; does nothing when there is one of this id. */
  replace(version: string, text: string): Promise<void>;
}

/** What the rotation of the system secret works with, on AWS alone. */
export interface RotationServices {
  systemSecretVersions: SystemSecretVersions;
}

/** What the sweeper works with, on AWS alone: the embedded engine queues a write in the transaction that accepts it. */
export interface SweepServices {
  parkedWrites: Pick<ParkedWrites, 'sweep'>;
  report?: Report | undefined;
}
