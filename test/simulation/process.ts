import { onClockAhead } from './determinism.ts';
import type { CallOutcome, Faults, Part } from './faults.ts';

/** How an invocation ended. */
export type Ending<Result> =
  | { kind: 'answered'; result: Result }
  | { kind: 'failed'; error: unknown }
  /** It died, or was ended at its time limit. */
  | { kind: 'died' };

/** The caller, as the called parts see it. */
export type Caller = Pick<Process, 'task' | 'call'>;

/**
 * One invocation of a function, on a machine with its own clock. It may die at any of its calls; calls that it has sent
 * take effect nevertheless.
 */
export class Process {
  /** The operation or function that the work is done for. It is recorded with the numbers that it takes. */
  readonly task: string;
  /** The parts to which a call of this process failed. */
  readonly failedParts = new Set<Part>();
  readonly #faults: Faults;
  readonly #clockErrorMs: number;
  readonly #death = Promise.withResolvers<void>();
  #dead = false;

  constructor(faults: Faults, task: string) {
    this.#faults = faults;
    this.#clockErrorMs = faults.clockErrorMs();
    this.task = task;
  }

  /** Runs until the response, the death or the time limit. Work that is in progress at the response continues. */
  async run<Result>(timeoutMs: number, work: () => Promise<Result>): Promise<Ending<Result>> {
    const timer = setTimeout(() => this.#die(), timeoutMs);
    const ending = await Promise.race([
      onClockAhead(this.#clockErrorMs, work).then(
        (result): Ending<Result> => ({ kind: 'answered', result }),
        (error): Ending<Result> => ({ kind: 'failed', error }),
      ),
      this.#death.promise.then((): Ending<Result> => ({ kind: 'died' })),
    ]);
    clearTimeout(timer);
    return ending;
  }

  /**
   * Calls a part of the system. The planned faults decide whether `effect` happens.
   *
   * @param failure returns the error that the caller gets for a failed call
   * @param hot whether the call changes an item with a counter
   */
  call<Result>(
    part: Part,
    effect: () => Result | Promise<Result>,
    failure: (kind: CallOutcome['kind']) => Error,
    hot = false,
  ): Promise<Result> {
    const { kind, thereMs, backMs, death, stallMs } = this.#faults.outcome(part, hot);
    if (kind !== 'done') this.failedParts.add(part);
    return new Promise((resolve, reject) => {
      if (death === 'before') this.#die();
      if (this.#dead) return;
      /** Delivers the response, unless the caller has died. */
      const answer = (settle: () => void) => {
        if (death === 'after') this.#die();
        if (!this.#dead) settle();
      };
      const fail = () => answer(() => reject(failure(kind)));
      const takeEffect = async () => {
        try {
          const result = await effect();
          return () => resolve(result);
        } catch (error) {
          return () => reject(error);
        }
      };
      const arrive = () => {
        if (kind === 'refused' || kind === 'throttled') fail();
        else if (kind === 'late') {
          fail();
          setTimeout(() => void takeEffect(), backMs);
        } else
          void takeEffect().then((settle) => setTimeout(() => (kind === 'lost' ? fail() : answer(settle)), backMs));
      };
      const leave = () => {
        if (!this.#dead) setTimeout(arrive, thereMs);
      };
      if (stallMs > 0) setTimeout(leave, stallMs);
      else leave();
    });
  }

  #die(): void {
    this.#dead = true;
    this.#death.resolve();
  }
}
