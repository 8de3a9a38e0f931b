/**
 * Tells whether the user wants the command to end. It ends after the current step; a second signal ends it at once.
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

  /** Aborted by the first signal: ends waiting for input, and work that takes long between two steps. */
  get aborted(): AbortSignal {
    return this.#controller.signal;
  }

  /** The same as `wanted`, after giving Node.js a chance to deliver a signal: work that never waits would prevent that. */
  async isWanted(): Promise<boolean> {
    await new Promise(setImmediate);
    return this.wanted;
  }

  /** As in a shell: 128 and the number of the signal. */
  get exitCode(): number {
    return this.#signal === 'SIGTERM' ? 143 : 130;
  }
}
