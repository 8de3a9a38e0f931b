import type { AwsQueue } from '../../functions/queues.ts';
import type { Queue } from '../../lib/queue/queue.ts';
import { count } from '../cli/numbers.ts';
import type { Interruption } from './interruption.ts';
import { Progress } from './progress.ts';

/** Sends the dead letters of the queues back to the workers. */
export async function redrive(
  queues: ReadonlyMap<AwsQueue, Queue>,
  { dryRun }: { dryRun?: boolean },
  interruption: Pick<Interruption, 'isWanted'>,
): Promise<void> {
  for (const [name, queue] of queues) {
    const total = await queue.deadLetterCount();
    if (dryRun || total === 0) {
      console.log(`${name}: ${count(total, 'dead letter')}${dryRun ? ' would be sent back' : ''}`);
      continue;
    }
    const progress = new Progress('dead letters', total);
    let sent = 0;
    try {
      for await (const step of queue.redrive()) {
        sent += step;
        progress.advance(step);
        if (await interruption.isWanted()) break;
      }
    } finally {
      progress.stop();
    }
    console.log(`${name}: ${count(sent, 'dead letter')} sent back`);
    if (await interruption.isWanted()) return;
  }
}
