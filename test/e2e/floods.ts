import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** The memory of a process in MiB: what it holds now, and the most that it held since the peak was reset. */
export function memoryOf(pid: number): { residentMiB: number; peakMiB: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1_024;
  return { residentMiB: mib('VmRSS'), peakMiB: mib('VmHWM') };
}

/** Sockets that a process has open, the one that it listens on included. */
export function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((descriptor) => {
    try {
      return readlinkSync(`${folder}/${descriptor}`).startsWith('socket:');
    } catch {
      // It was closed since the folder was read.
      return false;
    }
  }).length;
}

/** Opens a connection. Errors end it and are no fault of the test: a flood's connections are there to be cut off. */
export async function openSocket(url: string): Promise<Socket> {
  const { port } = new URL(url);
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  socket.on('error', () => socket.destroy());
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve).once('close', () => resolve());
  });
  return socket;
}

/** What a bystander saw. */
export interface Observed {
  /** 99 of 100 health checks were answered within this time, in milliseconds. */
  healthP99Ms: number;
  /** Answers that are not 2xx, and requests that failed. */
  failures: string[];
  /** Requests that were answered. */
  answered: number;
}

/** A client in a thread of its own that does no harm, beside a flood: it checks health, writes and reads. */
export class Bystander {
  readonly #thread: Worker;

  private constructor(thread: Worker) {
    this.#thread = thread;
  }

  static async start(url: string, chat: string): Promise<Bystander> {
    const thread = new Worker(new URL('bystander.ts', import.meta.url), { workerData: { url, chat } });
    await once(thread, 'message');
    return new Bystander(thread);
  }

  async stop(): Promise<Observed> {
    this.#thread.postMessage('stop');
    const [observed] = await once(this.#thread, 'message');
    return observed;
  }
}
