import type { QueueName } from '../../functions/queues.ts';
import { figure } from '../cli/figures.ts';
import type { OpsServices } from './engine.ts';
import type { Interruption } from './interruption.ts';
import { Progress } from './progress.ts';

/** Sends the dead letters of the queues back to be worked on again. */
export async function redrive(
  { queues }: Pick<OpsServices, 'queues'>,
  names: readonly QueueName[],
  { dryRun }: { dryRun?: boolean },
  interruption: Pick<Interruption, 'isWanted'>,
): Promise<void> {
  for (const name of names) {
    const count = await queues[name].deadLetterCount();
    if (dryRun || count === 0) {
      console.log(`${name}: ${figure(count)} dead letters${dryRun ? ' would go back' : ''}`);
      continue;
    }
    const progress = new Progress('dead letters', count);
    let went = 0;
    try {
      for await (const step of queues[name].redrive()) {
        went += step;
        progress.advance(step);
        if (await interruption.isWanted()) break;
      }
    } finally {
      progress.stop();
    }
    console.log(`${name}: ${figure(went)} dead letters went back`);
    if (await interruption.isWanted()) return;
  }
}
