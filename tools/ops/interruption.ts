/**
 * Tells whether the user has asked the command to stop. The command stops after the current step; a second signal exits
 * at once.
 */
export class Interruption {
  readonly #controller = new AbortController();
  #signal: NodeJS.Signals | undefined;

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        if (this.#signal) process.exit(this.exitCode);
        this.#signal = signal;
        this.#controller.abort();
      });
  }

  get wanted(): boolean {
    return this.#signal !== undefined;
  }

  /** Aborted by the first signal, to stop waiting for input, or long work between two steps. */
  get abortSignal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Like `wanted`, but lets Node.js deliver pending signals first, because synchronous work would prevent that. */
  async isWanted(): Promise<boolean> {
    await new Promise(setImmediate);
    return this.wanted;
  }

  /** As in a shell: 128 plus the number of the signal. */
  get exitCode(): number {
    return this.#signal === 'SIGTERM' ? 143 : 130;
  }
}
