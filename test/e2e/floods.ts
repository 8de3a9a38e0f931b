import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** Returns the memory of a process in MiB: the current resident size, and its peak since the last reset. */
export function memoryOf(pid: number): { residentMiB: number; peakMiB: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1_024;
  return { residentMiB: mib('VmRSS'), peakMiB: mib('VmHWM') };
}

/** Returns the number of open sockets of a process, including the one that it listens on. */
export function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((descriptor) => {
    try {
      return readlinkSync(`${folder}/${descriptor}`).startsWith('socket:');
    } catch {
      // The descriptor was closed after the folder was read.
      return false;
    }
  }).length;
}

/** Opens a connection. Errors destroy it without failing the test, because a flood's connections may be closed. */
export async function openSocket(url: string): Promise<Socket> {
  const { port } = new URL(url);
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  socket.on('error', () => socket.destroy());
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve).once('close', () => resolve());
  });
  return socket;
}

/** The observations of a bystander. */
export interface Observed {
  /** The 99th percentile of the duration of health checks, in milliseconds. */
  healthP99Ms: number;
  /** Responses other than 2xx, and failed requests. */
  failures: string[];
  /** Number of requests with a response. */
  answered: number;
}

/** A harmless client in its own thread, beside a flood. It checks health, writes and reads. */
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
