/** Whether somebody wants the command to end. It does so behind the step under way; a second signal ends it at once. */
export class Interruption {
  #signal: NodeJS.Signals | undefined;

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        if (this.#signal) process.exit(this.exitCode);
        this.#signal = signal;
      });
  }

  get wanted(): boolean {
    return this.#signal !== undefined;
  }

  /** The same, when a signal that has come was heard: work that waits for nothing would keep it from that. */
  async isWanted(): Promise<boolean> {
    await new Promise(setImmediate);
    return this.wanted;
  }

  /** As a shell has it: 128 and the number of the signal. */
  get exitCode(): number {
    return this.#signal === 'SIGTERM' ? 143 : 130;
  }
}
