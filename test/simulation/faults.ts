import { random } from './chance.ts';
import { trueTime } from './determinism.ts';

/** The services that a process calls over the network. */
export type Part = 'dynamodb' | 'sqs' | 'sql' | 'search' | 'appsync';
const parts: Part[] = ['dynamodb', 'sqs', 'sql', 'search', 'appsync'];

/**
 * The result of a call:
 * - `done`: it succeeds
 * - `refused`: it fails without effect, and the caller knows
 * - `throttled`: DynamoDB reports that it did nothing
 * - `lost`: it takes effect, but the response is lost
 * - `late`: the caller times out, and the call takes effect some time later
 */
export interface CallOutcome {
  kind: 'done' | 'refused' | 'throttled' | 'lost' | 'late';
  /** Milliseconds until the call takes effect, and from then until the response arrives. */
  thereMs: number;
  backMs: number;
  /** Whether the caller dies before the call is sent, or when the response arrives. */
  death: 'before' | 'after' | undefined;
  /** Milliseconds for which the caller is frozen before the call is sent. */
  stallMs: number;
}

/** Milliseconds after which a caller times out. */
const timeoutMs = 3_000;
const longestDelayMs = 120_000;
const longestStallMs = 90_000;
/** Each clock is off by up to this, so the clocks of two machines differ by up to twice this. */
const longestClockErrorMs = 5 * 60_000;

const minute = 60_000;

interface Span {
  from: number;
  to: number;
}

interface Outage extends Span {
  part: Part;
  /** The part does not respond, or it refuses the call. */
  kind: 'silent' | 'refusing';
}

/** DynamoDB throttles a hot partition but not the others. */
interface Throttling extends Span {
  what: 'counters' | 'other items' | 'everything';
}

const isDuring = ({ from, to }: Span, at: number): boolean => from <= at && at < to;

/** What fails during one simulation, and how often. The seed determines it. */
export class Faults {
  readonly #callFaults: number;
  readonly #deaths: number;
  readonly #stalls: number;
  /** Probability that a queue delivers a message in flight again, that a schedule runs twice, and the like. */
  readonly duplicates: number;
  readonly #outages: Outage[];
  readonly #throttlings: Throttling[];
  readonly #clockErrors: number;
  #haveEnded = false;

  constructor() {
    // One simulation in ten has no faults, so that bugs that need none are found too.
    const strength = random.chance(0.1) ? 0 : random.next();
    this.#callFaults = 0.15 * strength ** 2;
    this.#deaths = random.chance(0.5) ? 0.03 * strength : 0;
    this.#stalls = random.chance(0.5) ? 0.03 * strength : 0;
    this.duplicates = 0.2 * strength;
    this.#outages = strength === 0 ? [] : parts.flatMap(outagesOf);
    this.#clockErrors = random.chance(0.5) ? random.between(0, longestClockErrorMs) : 0;
    this.#throttlings = strength === 0 ? [] : throttlings();
  }

  /**
   * Returns how many milliseconds the clock of a new process is ahead; negative when it is behind. Clock errors stay
   * after `end`.
   */
  clockErrorMs(): number {
    return random.between(-this.#clockErrors, this.#clockErrors);
  }

  /** Ends all faults except clock errors. */
  end(): void {
    this.#haveEnded = true;
  }

  /** Returns true with this probability, and always false after `end`. */
  chance(probability: number): boolean {
    return !this.#haveEnded && random.chance(probability);
  }

  /**
   * Returns the outcome of the next call to a part.
   *
   * @param hot whether the call changes an item with a counter
   */
  outcome(part: Part, hot: boolean): CallOutcome {
    const thereMs = random.chance(0.05) ? random.between(100, 1_500) : random.between(1, 15);
    const outcome: CallOutcome = { kind: 'done', thereMs, backMs: random.between(1, 15), death: undefined, stallMs: 0 };
    if (this.#haveEnded) return outcome;
    if (random.chance(this.#deaths)) outcome.death = random.chance(0.5) ? 'before' : 'after';
    if (random.chance(this.#stalls)) outcome.stallMs = random.between(1_000, longestStallMs);
    const at = trueTime() + outcome.stallMs;
    const isThrottled = ({ what, ...span }: Throttling) =>
      isDuring(span, at) && (what === 'everything' || (what === 'counters') === hot);
    if (part === 'dynamodb' && this.#throttlings.some(isThrottled)) return { ...outcome, kind: 'throttled' };
    const outage = this.#outages.find((one) => one.part === part && isDuring(one, at));
    if (outage) return { ...outcome, kind: 'refused', thereMs: outage.kind === 'silent' ? timeoutMs : thereMs };
    if (!random.chance(this.#callFaults)) return outcome;
    const kind = random.pick(['refused', 'throttled', 'lost', 'late'] as const) ?? 'refused';
    if (kind === 'throttled' && part !== 'dynamodb') return { ...outcome, kind: 'refused' };
    if (kind === 'lost') return { ...outcome, kind, backMs: timeoutMs };
    if (kind === 'late') return { ...outcome, kind, thereMs: timeoutMs, backMs: random.between(0, longestDelayMs) };
    return { ...outcome, kind };
  }
}

/** Returns no outage for most parts, one of minutes for some, and rarely one of more than an hour. */
function outagesOf(part: Part): Outage[] {
  if (!random.chance(0.3)) return [];
  const from = Date.now() + random.between(0, 8 * minute);
  const length = random.chance(0.03) ? random.between(60, 90) * minute : random.between(10_000, 5 * minute);
  return [{ part, kind: random.chance(0.5) ? 'silent' : 'refusing', from, to: from + length }];
}

/** Returns a few spans of a minute at most. */
function throttlings(): Throttling[] {
  if (random.chance(0.5)) return [];
  return Array.from({ length: random.between(1, 4) }, () => {
    const from = Date.now() + random.between(0, 6 * minute);
    const what = random.pick(['counters', 'other items', 'everything'] as const) ?? 'everything';
    return { what, from, to: from + random.between(1_000, minute) };
  });
}
