import type { AwsQueue, QueueName } from '../../functions/queues.ts';
import type { Services } from '../../functions/runtime/services.ts';
import type { Queue } from '../../lib/queue/queue.ts';
import type { ReconcileServices } from '../../lib/reconcile/services.ts';
import type { Reindexing } from '../../lib/search/reindex.ts';
import type { CopyStep } from '../../lib/store/mysql/copy.ts';

/** The services that the commands work with. Each engine has its own implementations. */
export interface OpsServices extends Omit<Services, 'cursors' | 'access' | 'feed'> {
  /** The feed queue only on AWS, and only with the feed. */
  queues: Record<QueueName, Queue> & Partial<Record<AwsQueue, Queue>>;
  waitingWrites: ReconcileServices['waitingWrites'];
  reindexing: Reindexing;
  /** Marks the two files of a data folder as consistent; returns whether they were inconsistent. Undefined on AWS. */
  markConsistent?: () => Promise<boolean>;
  /** Replaces the content of SQL with that of the database at the URL. Undefined for a data folder. */
  copyOfSql?: (url: string) => AsyncGenerator<CopyStep>;
  close: () => Promise<void>;
}

/** What to do with an unusual data folder. */
export interface OpenOptions {
  /** One of its two files lacks commits that the other one builds on. */
  onLostCommits?: 'refuse' | 'repair';
  /** It has no chat system yet. */
  onNewFolder?: 'refuse' | 'create';
}
