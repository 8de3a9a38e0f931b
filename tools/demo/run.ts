import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { makeDataFolder } from '../../local/data-folder.ts';
import { BadSettings } from '../cli/command-line.ts';
import { resumableMs, type Settings } from './settings.ts';

// All that a run needs to be taken up again is its id: every create carries an Idempotency-Key made of the id and of
// what is created, so the API itself answers a repeated create with what it answered first. The note holds no progress
// and so can't be wrong about it, whatever was killed when; were the API's data lost, all is simply created again.

const noteSchema = z.object({ url: z.string(), run: z.uuid(), started_at: z.iso.datetime() });

/** One loading of all declarations into one API. */
export interface Run {
  id: string;
  startedAt: Date;
  /** Whether an earlier process began it. */
  resumed: boolean;
}

type NotedAt = Pick<Settings, 'dataDir' | 'url'>;

const noteFile = ({ dataDir, url }: NotedAt): string =>
  path.join(dataDir, `demo-${createHash('sha256').update(url).digest('hex').slice(0, 12)}.json`);

/** The run that was begun and not finished, if it can be taken up. */
export function unfinishedRun(at: NotedAt): Run | undefined {
  try {
    const { run, started_at } = noteSchema.parse(JSON.parse(readFileSync(noteFile(at), 'utf8')));
    const startedAt = new Date(started_at);
    return Date.now() - startedAt.getTime() < resumableMs ? { id: run, startedAt, resumed: true } : undefined;
  } catch {
    // There is none, or its process was killed while writing the note: then it had not sent anything yet.
    return undefined;
  }
}

/**
 * Begins a run, and notes it before anything is sent.
 *
 * @throws BadSettings when the data folder can't be written
 */
export function beginRun(at: NotedAt): Run {
  const run = { id: randomUUID(), startedAt: new Date(), resumed: false };
  const note: z.input<typeof noteSchema> = { url: at.url, run: run.id, started_at: run.startedAt.toISOString() };
  try {
    makeDataFolder(at.dataDir);
    writeFileSync(noteFile(at), `${JSON.stringify(note)}\n`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BadSettings(`The data folder ${at.dataDir} cannot be written (${code}); choose another with --data-dir.`);
  }
  return run;
}

/** Notes that the run is finished, unless another has taken its place meanwhile. */
export function finishRun(at: NotedAt, run: Run): void {
  if (unfinishedRun(at)?.id === run.id) rmSync(noteFile(at), { force: true });
}
