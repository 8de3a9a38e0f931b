import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const command = path.resolve(import.meta.dirname, '../../script/start');

/** A chat system on its own data folder, started by `script/start`. */
export interface Embedded {
  /** `http://127.0.0.1:PORT` */
  origin: string;
  /** The path of the API: `/v1`. */
  base: string;
  dataDir: string;
  pid: number;
  /** Resident memory of the host plus the private memory of its reader processes, in MB. */
  memoryMb: () => number;
  /** Stops the server, and deletes its data unless `startEmbedded` was given the folder. */
  stop: () => Promise<void>;
}

/** Creates an empty data folder. */
export const newDataFolder = (): string => mkdtempSync(path.join(tmpdir(), 'chat-system-bench-'));

/** @param given a folder with data; by default, the system starts on a new one */
export async function startEmbedded(given?: string): Promise<Embedded> {
  const dataDir = given ?? newDataFolder();
  const child = spawn(command, ['--port', '0', '--host', '127.0.0.1', '--data-dir', dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const url = new URL(await urlOf(child));
  return {
    origin: url.origin,
    base: url.pathname,
    dataDir,
    pid: child.pid as number,
    memoryMb: () => residentMb(child.pid as number),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      if (given === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function urlOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('script/start has no output to read');
  const { stdout } = child;
  return new Promise((resolve, reject) => {
    let printed = '';
    stdout.on('data', (chunk: Buffer) => {
      printed += chunk;
      const url = /API +(http\S+)/.exec(printed)?.[1];
      if (url && printed.includes('Stop it')) resolve(url);
    });
    stdout.on('close', () => reject(new Error(`script/start ended: ${printed}`)));
  });
}

/**
 * Returns the resident memory in MB, from VmRSS and smaps_rollup of proc(5), which are in kB. Memory that processes
 * share, such as the program of Node.js, counts once.
 */
function residentMb(pid: number): number {
  const kB = (file: string, field: RegExp) => Number(field.exec(readFileSync(`/proc/${file}`, 'utf8'))?.[1]);
  const readers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  const own = readers.map((reader) => kB(`${reader}/smaps_rollup`, /Private_Dirty:\s+(\d+) kB/));
  return own.reduce((sum, each) => sum + each, kB(`${pid}/status`, /VmRSS:\s+(\d+) kB/)) / 1_024;
}
