/**
 * Time budget of one event-loop turn, in milliseconds. During a flood, a health check waits little longer than this. With
 * 5 ms, so many requests are in progress at a time that much of what they allocate outlives a garbage collection.
 */
const turnMs = 2;
/**
 * The same for a turn in which a connection was accepted. libuv accepts one connection in each turn, so the next one in
 * the system's queue waits for the whole turn. With 0.5 ms, the server accepted less than half as many of 10,000 busy
 * connections in 8 s.
 */
const acceptingTurnMs = 0.1;
/**
 * Maximum number of tasks that are scheduled for one turn. A create takes some 50 µs, so a turn has no time for more.
 * There is a limit because postponing a scheduled task takes 0.2 µs, when earlier tasks have used up the turn's time.
 */
const tasksPerTurn = 40;
/**
 * Every fourth task continues large work, even while requests wait to be started. Of the turns in which a connection is
 * accepted, only every fourth one continues large work: handling a batch takes milliseconds, and the next connection
 * waits for the turn to end.
 */
const continuedOneIn = 4;

/**
 * Spreads work over turns of the event loop, so that no client's work keeps the others waiting. A callback cannot be
 * interrupted before its first asynchronous wait, so the time is checked only between callbacks.
 */
export class Turns {
  readonly #starts: (() => void)[] = [];
  readonly #continuations: (() => void)[] = [];
  #scheduled = 0;
  /** The number of tasks that ran. It begins again at 0 when the next task continues large work. */
  #ran = 0;
  /** When this turn's work began; undefined while it has not. */
  #began: number | undefined;
  #ranThisTurn = 0;
  #budgetMs = turnMs;
  /** The number of turns in which a connection was accepted. */
  #acceptingTurns = 0;

  /** Makes this turn short, because more connections may wait to be accepted. */
  shortenTurn(): void {
    if (this.#budgetMs === acceptingTurnMs) return;
    this.#budgetMs = acceptingTurnMs;
    // The first task of every fourth turn continues large work: a turn may have time for only one.
    if (++this.#acceptingTurns % continuedOneIn === 0) this.#ran = 0;
    // Runs after the tasks of this turn, which were scheduled before.
    setImmediate(() => {
      this.#budgetMs = turnMs;
    });
  }

  /** The number of requests that wait to be started. */
  get waiting(): number {
    return this.#starts.length;
  }

  /** Returns whether this turn's time is used up. */
  isUsedUp(): boolean {
    const now = performance.now();
    if (this.#began === undefined) {
      this.#began = now;
      setImmediate(() => {
        this.#began = undefined;
        this.#ranThisTurn = 0;
      });
    }
    return now - this.#began > this.#budgetMs;
  }

  /** Starts a request in a later turn, after the requests that waited before. */
  startLater(task: () => void): void {
    this.#starts.push(task);
    this.#schedule();
  }

  /**
   * Does more for a client that has a request in progress, in a later turn: handles a large body, continues a large
   * response, or starts another request of its connection. Requests that wait to be started go first.
   * Otherwise, the pieces of thousands of responses would delay each of them.
   */
  continueLater(task: () => void): void {
    this.#continuations.push(task);
    this.#schedule();
  }

  #schedule(): void {
    const waiting = this.#starts.length + this.#continuations.length;
    while (this.#scheduled < Math.min(waiting, tasksPerTurn)) {
      this.#scheduled++;
      setImmediate(() => this.#step());
    }
  }

  #step(): void {
    this.#scheduled--;
    // Run at least one task in each turn, even when its time is used up, so that every task runs eventually.
    if (!this.isUsedUp() || this.#ranThisTurn === 0) {
      this.#ranThisTurn++;
      const task =
        this.#ran++ % continuedOneIn === 0
          ? (this.#nextContinuation() ?? this.#starts.shift())
          : (this.#starts.shift() ?? this.#nextContinuation());
      task?.();
    }
    this.#schedule();
  }

  #nextContinuation(): (() => void) | undefined {
    if (this.#budgetMs === acceptingTurnMs && this.#acceptingTurns % continuedOneIn !== 0) return undefined;
    return this.#continuations.shift();
  }
}
