import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeServer } from '../../tools/stack/native/native-server.ts';
import { launch, logFile, runningPid, stopServer, untilReady } from '../../tools/stack/server-process.ts';

/** A server of one test, beside those of the stack, which may be frozen and killed. */
export class OwnServer {
  readonly #name: string;
  readonly #server: NativeServer;

  /**
   * @param name of its pid file and its log; a server that an earlier run left under that name is ended at the start
   */
  constructor(name: string, server: NativeServer) {
    this.#name = name;
    this.#server = server;
  }

  /** Resolves when it accepts requests. */
  async start(): Promise<void> {
    await this.end();
    await this.restart();
  }

  /** Starts it again with its data after a kill. */
  async restart(): Promise<void> {
    await launch(this.#name, await this.#server.prepare(() => undefined));
    await untilReady(this.#name, this.#server.ready);
  }

  /** Stops its execution (SIGSTOP). The kernel continues to accept connections. */
  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  /** Kills it, and resolves when it has ended. Data that was not yet durable is lost. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    while (runningPid(this.#name) !== undefined) await sleep(10);
  }

  /** Stops it if it is running, and resolves when it has ended. */
  async end(): Promise<void> {
    this.thaw();
    await stopServer(this.#name);
    rmSync(logFile(this.#name), { force: true });
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = runningPid(this.#name);
    if (pid !== undefined) process.kill(pid, signal);
  }
}
