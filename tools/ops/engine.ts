import type { AwsQueue, QueueName } from '../../functions/queues.ts';
import type { Services } from '../../functions/runtime/services.ts';
import type { Queue } from '../../lib/queue/queue.ts';
import type { ReconcileServices } from '../../lib/reconcile/services.ts';
import type { Reindexing } from '../../lib/search/reindex.ts';
import type { CopyStep } from '../../lib/store/mysql/copy.ts';

/** The services that the commands work with. Each engine has its own implementations. */
export interface OpsServices extends Omit<Services, 'cursors' | 'access' | 'feed'> {
  /** The queues by their names. Only a deployed system with the feed has the feed queue. */
  queues: Record<QueueName, Queue> & Partial<Record<AwsQueue, Queue>>;
  waitingWrites: ReconcileServices['waitingWrites'];
  reindexing: Reindexing;
  /** Why the next start would refuse the data folder. Undefined if its two files match, and on AWS. */
  inconsistency?: Inconsistency;
  /** Replaces the content of SQL with that of the database at the URL. Undefined for a data folder. */
  copyOfSql?: (url: string) => AsyncGenerator<CopyStep>;
  close: () => Promise<void>;
}

/** The reason why a data folder is refused. */
export interface Inconsistency {
  /** The reason as a sentence, with the command that repairs it. */
  reason: string;
  /** Lets the next start accept the folder. */
  markConsistent(): Promise<void>;
}

/** How to open a data folder, and what to do with an unusual one. */
export interface OpenOptions {
  /** Whether the command only reads. If so, it works on a data folder while a chat system is running on it. */
  readOnly?: boolean | undefined;
  /** What to do when one of the two files lacks commits that the other one builds on. */
  onLostCommits?: 'refuse' | 'repair';
  /** What to do when the folder does not contain a chat system. */
  onNewFolder?: 'refuse' | 'create';
}
