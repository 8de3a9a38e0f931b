import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeServer } from '../../tools/stack/native/native-server.ts';
import { launch, logFile, runningPid, stopServer, untilReady } from '../../tools/stack/server-process.ts';

/** A server of a test's own beside those of the stack, which may be treated badly. */
export class OwnServer {
  readonly #name: string;
  readonly #server: NativeServer;

  /** @param name of its pid file and its log; one that an earlier run left under that name is ended at the start */
  constructor(name: string, server: NativeServer) {
    this.#name = name;
    this.#server = server;
  }

  /** Resolves when it can be used. */
  async start(): Promise<void> {
    await this.end();
    await this.restart();
  }

  /** The same with the data it has, after it was killed. */
  async restart(): Promise<void> {
    await launch(this.#name, await this.#server.prepare(() => undefined));
    await untilReady(this.#name, this.#server.ready);
  }

  /** It does nothing any more, and its system goes on taking connections for it. */
  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  /** Resolves when it is gone, with all that it had not made durable. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    while (runningPid(this.#name) !== undefined) await sleep(10);
  }

  /** Where it runs, it is told to end, and is waited for. */
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
