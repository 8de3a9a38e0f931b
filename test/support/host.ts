import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const start = path.resolve(import.meta.dirname, '../../local/start.ts');

/** A data folder of its own, below the system's folder for temporary files. */
export const newDataDir = (): string => mkdtempSync(path.join(tmpdir(), 'chat-system-'));
export const removeDataDir = (dataDir: string): void => rmSync(dataDir, { recursive: true, force: true });

/** A chat system in a process of its own, as script/start starts it. */
export interface Host {
  /** The base URL: `http://localhost:PORT/v1`. */
  url: string;
  process: ChildProcess;
  /** All it has printed so far, standard output and error together. */
  output: () => string;
  /** Sends the signal and resolves with the exit status (null when the signal ended it). */
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

/** Starts a host on a free port, and resolves when it is ready; rejects with what it printed when it ends instead. */
export async function startHost(dataDir: string, ...flags: string[]): Promise<Host> {
  const child = spawn(process.execPath, [start, '--port', '0', '--data-dir', dataDir, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const ready = Promise.withResolvers<string>();
  const listen = (chunk: Buffer) => {
    printed += chunk;
    const url = /API +(http\S+)/.exec(printed)?.[1];
    if (url && printed.includes('Stop it')) ready.resolve(url);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  child.on('exit', (status) => ready.reject(new Error(`The host ended with status ${status}: ${printed}`)));
  return {
    url: await ready.promise,
    process: child,
    output: () => printed,
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        await once(child, 'exit');
      }
      return child.exitCode;
    },
  };
}
