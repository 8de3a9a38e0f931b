import { count, seconds } from '../cli/numbers.ts';
import type { OpsServices } from './engine.ts';
import type { Interruption } from './interruption.ts';
import { Progress } from './progress.ts';

/** Rebuilds the search index from the store, or aborts an unfinished rebuild. */
export async function reindex(
  { reindexing }: Pick<OpsServices, 'reindexing'>,
  { dryRun, abort }: { dryRun?: boolean; abort?: boolean },
  interruption: Pick<Interruption, 'isWanted'>,
): Promise<void> {
  const { what, messages } = await reindexing.plan();
  if (dryRun) {
    console.log(
      `Would ${abort ? 'abort the unfinished rebuild' : `${what}: about ${count(messages, 'message')} to copy`}.`,
    );
    return;
  }
  const began = Date.now();
  let progress: Progress | undefined;
  let waitingFor = '';
  try {
    for await (const step of abort ? reindexing.abort() : reindexing.run()) {
      if (step.kind === 'copied') {
        progress ??= new Progress('messages copied', messages);
        progress.advance(step.messages);
        for (const { document, reason } of step.refused)
          console.error(`Refused: message ${document.chat}/${document.number}: ${reason}`);
      } else {
        progress?.stop();
        progress = undefined;
        if (step.kind === 'done') console.log(`${step.what} (${seconds(Date.now() - began)})`);
        else if (step.until !== waitingFor) {
          waitingFor = step.until;
          console.log(`waiting ${seconds(step.forMs)}, until ${step.until}`);
        }
      }
      if (await interruption.isWanted()) return;
    }
  } finally {
    progress?.stop();
  }
}
