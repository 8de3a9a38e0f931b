import { open } from 'node:fs/promises';
import { figure } from '../demo/figures.ts';
import { type Imported, importApplication } from '../lib/archive/import.ts';
import type { Interruption } from './interruption.ts';
import { linesOf } from './lines.ts';
import { Progress } from './progress.ts';
import type { OpsServices } from './services.ts';

/** Imports an application from a file; `-` is standard input. */
export async function importFrom(
  { ledger, queues }: Pick<OpsServices, 'ledger' | 'queues'>,
  file: string,
  { dryRun = false }: { dryRun?: boolean },
  interruption: Pick<Interruption, 'isWanted'>,
): Promise<void> {
  const lines = linesOf(file === '-' ? process.stdin : (await open(file)).createReadStream());
  const progress = new Progress('lines', 0);
  let done: Imported | undefined;
  try {
    for await (const imported of importApplication({ ledger, storeQueue: queues.store }, lines, dryRun)) {
      progress.advance(imported.lines - (done?.lines ?? 0));
      done = imported;
      if (await interruption.isWanted()) return;
    }
  } finally {
    progress.stop();
  }
  const { chats = 0, messages = 0, deleted = 0 } = done ?? {};
  console.log(
    `${dryRun ? 'The file is whole: ' : 'Imported '}${figure(chats)} chats, ${figure(messages)} messages, ${figure(deleted)} deleted ones.`,
  );
}
