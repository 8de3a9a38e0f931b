import { constants, createReadStream, openSync, statSync } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { CommandProblem } from '../cli/problem.ts';

/** A file that is imported. */
export interface ImportInput {
  /** Returns the content, once for the check and once more for the import. */
  read: () => AsyncIterable<Uint8Array>;
  close: () => Promise<void>;
}

/**
 * Opens the input of an import: the file of this path, or standard input for `-`. What cannot be read twice, such as a
 * pipe, is copied to a temporary file while it is read for the first time.
 *
 * @param aborted ends the reading
 * @throws CommandProblem for a folder, or the system's error when there is no such file
 */
export async function openInput(file: string, aborted: AbortSignal): Promise<ImportInput> {
  if (file === '-') return copied(() => process.stdin, aborted);
  const stats = statSync(file);
  if (stats.isDirectory()) throw new CommandProblem(`${file} is a folder; name a file that script/ops export wrote.`);
  if (stats.isFile())
    return { read: () => addAbortSignal(aborted, createReadStream(file)), close: async () => undefined };
  return copied(() => (stats.isFIFO() ? readableOfFifo(file) : createReadStream(file)), aborted);
}

/** Without O_NONBLOCK, opening a FIFO would block a thread until a writer opens it, and no signal could stop that. */
const readableOfFifo = (file: string): Readable =>
  new Socket({ fd: openSync(file, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });

function refuseCopy(cause: NodeJS.ErrnoException): never {
  throw new CommandProblem(
    `The input cannot be copied to ${tmpdir()} (${cause.code}). It is checked there before it is imported: set TMPDIR to a folder with enough space, or import from a file.`,
    { cause },
  );
}

async function copied(open: () => Readable, aborted: AbortSignal): Promise<ImportInput> {
  const copy = await temporaryFile().catch(refuseCopy);
  let isCopied = false;
  async function* copying(): AsyncGenerator<Uint8Array> {
    for await (const chunk of addAbortSignal(aborted, open()) as AsyncIterable<Uint8Array>) {
      await copy.appendFile(chunk).catch(refuseCopy);
      // The reader may stop at any line, so a complete copy exists only after the loop.
      yield chunk;
    }
    isCopied = true;
  }
  return {
    read: () => (isCopied ? addAbortSignal(aborted, copy.createReadStream({ start: 0, autoClose: false })) : copying()),
    close: () => copy.close(),
  };
}

/** Returns an empty file that only this user can read, and that is gone when the process ends, however it ends. */
async function temporaryFile(): Promise<FileHandle> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chat-system-import-'));
  try {
    return await open(path.join(folder, 'input'), 'wx+', 0o600);
  } finally {
    // An open file without a name stays readable.
    await rm(folder, { recursive: true });
  }
}
