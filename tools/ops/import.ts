import {
  checkApplication,
  type ImportProgress,
  type ImportServices,
  importApplication,
} from '../../lib/archive/import.ts';
import { count } from '../cli/numbers.ts';
import type { OpsServices } from './engine.ts';
import { openInput } from './import-input.ts';
import type { Interruption } from './interruption.ts';
import { readLines } from './lines.ts';
import { Progress } from './progress.ts';

/** The system that an application is imported into. */
export interface ImportTarget {
  /** The data folder that `open` creates; undefined if the system exists. */
  newFolder?: string | undefined;
  open: () => Promise<Pick<OpsServices, 'ledger' | 'store' | 'queues' | 'close'>>;
}

/** The ledger of a system that does not exist yet. */
const emptyLedger: Parameters<typeof checkApplication>[0] = {
  entries: async (parents) => parents.map(() => undefined),
};

/**
 * Imports an application from a file; `-` is standard input. The whole input is checked before anything is written or
 * a data folder is created.
 *
 * @throws CommandProblem when the input cannot be read, ArchiveProblem when it cannot be imported
 */
export async function importFrom(
  target: ImportTarget,
  file: string,
  { dryRun = false }: { dryRun?: boolean },
  interruption: Pick<Interruption, 'isWanted' | 'abortSignal'>,
): Promise<void> {
  let system = target.newFolder === undefined ? await target.open() : undefined;
  try {
    const input = await openInput(file, interruption.abortSignal);
    try {
      const check = checkApplication(system?.ledger ?? emptyLedger, readLines(input.read()));
      const checked = await lastStepOf(
        check,
        { things: 'lines checked', total: 0, doneOf: ({ lines }) => lines },
        interruption,
      );
      if (!checked) return;
      if (dryRun) {
        console.log(`The file can be imported: ${summary(checked, 'would become')}`);
        return;
      }
      if (target.newFolder !== undefined) console.error(`Creating a chat system in ${target.newFolder}.`);
      system ??= await target.open();
      const { ledger, store, queues } = system;
      const services: ImportServices = { ledger, store, storeQueue: queues.store };
      const shown = {
        things: checked.gaps > 0 ? 'lines and numbers without a line' : 'lines',
        total: checked.lines + checked.gaps,
        doneOf: ({ lines, voided }: ImportProgress) => lines + voided,
      };
      const imported = await lastStepOf(importApplication(services, readLines(input.read())), shown, interruption);
      if (imported) console.log(`Imported ${summary(imported, 'became')}`);
    } finally {
      await input.close();
    }
  } finally {
    await system?.close();
  }
}

/** What a progress bar counts. */
interface Shown {
  things: string;
  total: number;
  doneOf: (step: ImportProgress) => number;
}

/** Shows the progress of the steps, and returns the last one; undefined when a signal stopped them. */
async function lastStepOf(
  steps: AsyncGenerator<ImportProgress>,
  { things, total, doneOf }: Shown,
  interruption: Pick<Interruption, 'isWanted' | 'abortSignal'>,
): Promise<ImportProgress | undefined> {
  const progress = new Progress(things, total);
  let done: ImportProgress | undefined;
  try {
    for await (const step of steps) {
      progress.advance(doneOf(step) - (done ? doneOf(done) : 0));
      done = step;
      if (await interruption.isWanted()) return undefined;
    }
    return done;
  } catch (error) {
    if (interruption.abortSignal.aborted) return undefined;
    throw error;
  } finally {
    progress.stop();
  }
}

/** @param become the verb for what happens to the numbers without a line */
function summary({ chats, messages, deleted, gaps, firstGap }: ImportProgress, become: string): string {
  const counts = `${count(chats, 'chat')}, ${count(messages, 'message')}, ${count(deleted, 'deleted message')}.`;
  if (gaps === 0) return counts;
  return `${counts} ${count(gaps, 'number')} without a line ${become} void; the first is ${firstGap}.`;
}
