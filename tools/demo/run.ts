import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { makeDataFolder } from '../cli/data-folder.ts';
import { CommandProblem } from '../cli/problem.ts';
import { resumableMs, type Settings } from './settings.ts';

// To resume a run, the demo needs only the run's id: the Idempotency-Key of every create consists of that id and the
// name of what is created, so the API returns the first response again when a create is repeated. The id is kept in a
// file in the data folder. This file, the note, does not contain the progress, so it cannot be wrong when a process is
// killed. If the API has lost its data, everything is created again.

const noteSchema = z.object({ url: z.string(), run: z.uuid(), started_at: z.iso.datetime() });

/** The loading of all declarations into one API. */
export interface Run {
  id: string;
  startedAt: Date;
  /** Whether an earlier process started it. */
  resumed: boolean;
}

type NotedAt = Pick<Settings, 'dataDir' | 'url'>;

const noteFile = ({ dataDir, url }: NotedAt): string =>
  path.join(dataDir, `demo-${createHash('sha256').update(url).digest('hex').slice(0, 12)}.json`);

/** Returns the unfinished run; undefined when there is none or it is too old to be resumed. */
export function unfinishedRun(at: NotedAt): Run | undefined {
  try {
    const { run, started_at } = noteSchema.parse(JSON.parse(readFileSync(noteFile(at), 'utf8')));
    const startedAt = new Date(started_at);
    return Date.now() - startedAt.getTime() < resumableMs ? { id: run, startedAt, resumed: true } : undefined;
  } catch {
    // There is no note, or its process was killed while it wrote the note, before it sent anything.
    return undefined;
  }
}

/**
 * Starts a run: writes its note before anything is sent.
 *
 * @throws CommandProblem when the data folder cannot be written
 */
export function beginRun(at: NotedAt): Run {
  const run = { id: randomUUID(), startedAt: new Date(), resumed: false };
  const note: z.input<typeof noteSchema> = { url: at.url, run: run.id, started_at: run.startedAt.toISOString() };
  try {
    makeDataFolder(at.dataDir);
    writeFileSync(noteFile(at), `${JSON.stringify(note)}\n`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandProblem(
      `The data folder ${at.dataDir} cannot be written (${code}); choose another with --data-dir.`,
    );
  }
  return run;
}

/** Deletes the note of the run, unless another run has replaced it. */
export function finishRun(at: NotedAt, run: Run): void {
  if (unfinishedRun(at)?.id === run.id) rmSync(noteFile(at), { force: true });
}
