import { onClockAhead } from './determinism.ts';
import type { Fate, Part, Weather } from './weather.ts';

/** How an invocation ended. */
export type Ending<Result> =
  | { kind: 'answered'; result: Result }
  | { kind: 'failed'; error: unknown }
  /** It died, or ran out of time and was ended. */
  | { kind: 'died' };

/** Who calls, for the parts that are called. */
export type Caller = Pick<Process, 'task' | 'call'>;

/** One invocation of a function, on a machine with a clock of its own. It may die at any of its calls; what it had sent off before takes effect all the same. */
export class Process {
  /** For whom the work is done; stands beside the numbers that it takes. */
  readonly task: string;
  /** The parts on which a call of it has failed. */
  readonly hurtBy = new Set<Part>();
  readonly #weather: Weather;
  readonly #clockErrorMs: number;
  readonly #death = Promise.withResolvers<void>();
  #dead = false;

  constructor(weather: Weather, task: string) {
    this.#weather = weather;
    this.#clockErrorMs = weather.clockErrorMs();
    this.task = task;
  }

  /** Works until the answer, the death or the time limit. What is still under way after the answer goes on. */
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
   * Calls a part of the system, whose `effect` comes about or not as the weather has it.
   *
   * @param failure what the caller is told of a call that failed
   * @param hot whether the call changes an item with a counter
   */
  call<Result>(
    part: Part,
    effect: () => Result | Promise<Result>,
    failure: (kind: Fate['kind']) => Error,
    hot = false,
  ): Promise<Result> {
    const { kind, thereMs, backMs, death, stallMs } = this.#weather.fate(part, hot);
    if (kind !== 'done') this.hurtBy.add(part);
    return new Promise((resolve, reject) => {
      if (death === 'before') this.#die();
      if (this.#dead) return;
      /** The answer arrives, or nobody is there any more to take it. */
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
