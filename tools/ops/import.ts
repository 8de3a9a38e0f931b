import { constants, createReadStream, openSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { type Imported, importApplication } from '../../lib/archive/import.ts';
import { count } from '../cli/numbers.ts';
import { CommandProblem } from '../cli/problem.ts';
import type { OpsServices } from './engine.ts';
import type { Interruption } from './interruption.ts';
import { readLines } from './lines.ts';
import { Progress } from './progress.ts';

/** The source of an import. */
interface Input {
  stream: () => Readable;
  /** Whether `stream` can be called more than once. */
  repeatable: boolean;
}

/**
 * Imports an application from a file; `-` is standard input. A regular file is checked completely before anything is
 * written.
 *
 * @throws CommandProblem when the path names something that cannot be read
 */
export async function importFrom(
  { ledger, queues }: Pick<OpsServices, 'ledger' | 'queues'>,
  file: string,
  { dryRun = false }: { dryRun?: boolean },
  interruption: Pick<Interruption, 'isWanted' | 'aborted'>,
): Promise<void> {
  const input = file === '-' ? standardInput : inputOf(file);
  const services = { ledger, storeQueue: queues.store };
  if (input.repeatable && !dryRun && !(await run(services, input, true, interruption))) return;
  const done = await run(services, input, dryRun, interruption);
  if (!done) return;
  console.log(
    `${dryRun ? 'The file is complete: ' : 'Imported '}${count(done.chats, 'chat')}, ${count(done.messages, 'message')}, ${count(done.deleted, 'deleted message')}.`,
  );
}

/** Checks or imports all lines. Returns undefined when a signal stopped it. */
async function run(
  services: Parameters<typeof importApplication>[0],
  input: Input,
  dryRun: boolean,
  interruption: Pick<Interruption, 'isWanted' | 'aborted'>,
): Promise<Imported | undefined> {
  const progress = new Progress(dryRun ? 'lines checked' : 'lines', 0);
  const lines = readLines(addAbortSignal(interruption.aborted, input.stream()));
  let done: Imported | undefined;
  try {
    for await (const imported of importApplication(services, lines, dryRun)) {
      progress.advance(imported.lines - (done?.lines ?? 0));
      done = imported;
      if (await interruption.isWanted()) return undefined;
    }
    return done;
  } catch (error) {
    if (interruption.aborted.aborted) return undefined;
    throw error;
  } finally {
    progress.stop();
  }
}

const standardInput: Input = { stream: () => process.stdin, repeatable: false };

function inputOf(path: string): Input {
  const stats = statSync(path);
  if (stats.isDirectory()) throw new CommandProblem(`${path} is a folder; name a file that script/ops export wrote.`);
  if (!stats.isFIFO()) return { stream: () => createReadStream(path), repeatable: stats.isFile() };
  // Without O_NONBLOCK, opening a FIFO would block a thread until a writer opens it, and no signal could stop that.
  const stream = () =>
    new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
  return { stream, repeatable: false };
}
