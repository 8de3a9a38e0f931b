import path from 'node:path';
import type { Services } from '../../functions/runtime/services.ts';
import type { Queue } from '../../lib/queue/queue.ts';
import type { ReconcileServices } from '../../lib/reconcile/services.ts';
import type { Reindexing } from '../../lib/search/reindex.ts';

export const queueNames = ['store', 'search'] as const;
export type QueueName = (typeof queueNames)[number];

/** What the commands work with; each engine has its own. */
export interface OpsServices extends Omit<Services, 'cursors'> {
  queues: Record<QueueName, Queue>;
  waitingWrites: ReconcileServices['waitingWrites'];
  reindexing: Reindexing;
  /** Marks the two files of a data folder as consistent; returns whether they disagreed before. Undefined on AWS. */
  agree?: () => Promise<boolean>;
  close: () => Promise<void>;
}

/** Which system a command is about, as the flags say. */
export interface EngineFlags {
  dataDir: string;
  stack?: boolean;
  aws?: boolean;
}

/**
 * Opens the system that the flags name.
 *
 * @param disagreeing what to do with a data folder of which one file has lost commits
 */
export async function openServices(
  { dataDir, stack, aws }: EngineFlags,
  disagreeing: 'refuse' | 'repair' = 'refuse',
): Promise<OpsServices> {
  // Each engine is loaded where it is asked for alone: the AWS SDK takes longer to load than most commands run.
  if (!stack && !aws) return (await import('./embedded-services.ts')).openEmbedded(path.resolve(dataDir), disagreeing);
  const engine = await import('./aws-services.ts');
  return stack ? engine.openStack() : engine.openAws();
}
