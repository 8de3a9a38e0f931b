/** What a change needs here: the version in which it was made. */
export interface Versioned {
  change: number;
}

/** What came over the wire for one version. A step that is too large for the wire comes without its changes. */
export interface WireStep<Change extends Versioned> {
  change: number;
  data?: readonly Change[];
}

/** A page of `changes`: all that changed after a version, up to `change`. */
export interface ReadPage<Change extends Versioned> {
  change: number;
  data: readonly Change[];
  /** Whether there is more behind it. */
  more: boolean;
  /** Set when the page has only a part of the version behind `change`; the rest is read with it. */
  cursor?: string | null;
}

/** What a follower is told: all that changed since the step before. */
export interface OrderedStep<Change extends Versioned> {
  /**
   * The version that the follower has with this step, from which it can go on later. A version too large for one page
   * comes in several steps, and all but the last have the version before it.
   */
  change: number;
  data: Change[];
  /** The store has fewer versions than the follower: it was restored from a backup. Everything follows again, from 0. */
  reset?: true;
}

/** The steps that are kept while an earlier one is missing. Later ones are read, so that memory is bounded. */
const keptSteps = 100;

/**
 * The order of the steps of one chat, or of an application's chats. The wire may lose, repeat and reorder steps. The
 * sequence returns each version once and in order, and says when a version is missing that only reading `changes` can
 * bring. It does no I/O and knows no time.
 */
export class Sequence<Change extends Versioned> {
  #at: number;
  /** The highest version that is known to exist. */
  #heard: number;
  /** The last version on a wire that keeps the order. */
  #wireAt: number;
  /** Whether only reading tells what is next, or whether the store has fewer versions than there are here. */
  #mustRead = false;
  /** What reads the rest of the next version, of which the follower has a part. */
  #rest: { after: number; cursor: string } | undefined;
  readonly #kept = new Map<number, readonly Change[] | undefined>();

  /** @param at the version that the follower has */
  constructor(at: number) {
    this.#at = at;
    this.#heard = at;
    this.#wireAt = at;
  }

  /** The version that the follower has. */
  get at(): number {
    return this.#at;
  }

  /** What to read next: what comes after {@link at}, or the rest of a version of which the follower has a part. */
  get unread(): { after: number; cursor?: string } {
    return this.#rest ?? { after: this.#at };
  }

  /** Whether versions are missing. They may still come over the wire, if it reorders. */
  get isBehind(): boolean {
    return this.mustRead || this.#heard > this.#at;
  }

  /** Whether the wire cannot bring the next version any more. */
  get mustRead(): boolean {
    const next = this.#at + 1;
    const isTooLarge = this.#kept.has(next) && this.#kept.get(next) === undefined;
    return isTooLarge || this.#mustRead || this.#rest !== undefined;
  }

  /** Begins with another wire, which begins after {@link at} if it keeps the order. */
  connect(): void {
    this.#wireAt = this.#at;
  }

  /** Takes a step from a wire that may lose, repeat and reorder, and returns the steps that are next. */
  hear({ change, data }: WireStep<Change>): OrderedStep<Change>[] {
    if (change <= this.#at) return [];
    this.#heard = Math.max(this.#heard, change);
    if (this.#kept.size < keptSteps) this.#kept.set(change, data);
    const steps: OrderedStep<Change>[] = [];
    for (let next = this.#take(); next; next = this.#take()) steps.push(...this.#advance(this.#at + 1, next));
    return steps;
  }

  /**
   * Takes a step from a wire that loses nothing and keeps the order, and returns the steps that are next. Such a wire
   * leaves out versions without changes. When it goes back, the store was restored, and it begins again.
   */
  hearNext({ change, data }: WireStep<Change>): OrderedStep<Change>[] {
    const steps = change <= this.#wireAt ? this.#reset() : [];
    this.#wireAt = change;
    if (change <= this.#at) return steps;
    this.#heard = Math.max(this.#heard, change);
    if (data && !this.mustRead) steps.push(...this.#advance(change, data));
    else this.#mustRead = true;
    return steps;
  }

  /** Takes the version that the wire says is the newest one. */
  confirm(version: number): void {
    this.#heard = Math.max(this.#heard, version);
    if (version < this.#at) this.#mustRead = true;
  }

  /** Takes the page that was read with {@link unread}, and returns the steps that are next. */
  read(after: number, { change, data, more, cursor }: ReadPage<Change>): OrderedStep<Change>[] {
    this.#mustRead = false;
    this.#rest = undefined;
    if (change < after) return this.#reset();
    const steps = this.#advance(change, data, cursor ? Number.POSITIVE_INFINITY : change);
    if (cursor) this.#rest = { after, cursor };
    // What was announced can be read, so the last page also says which versions there are.
    this.#heard = more ? this.#at + 1 : this.#at;
    for (const kept of this.#kept.keys()) if (!more || kept <= this.#at) this.#kept.delete(kept);
    return steps;
  }

  #reset(): OrderedStep<Change>[] {
    this.#at = 0;
    this.#heard = 1;
    this.#rest = undefined;
    this.#kept.clear();
    return [{ change: 0, data: [], reset: true }];
  }

  #take(): readonly Change[] | undefined {
    const data = this.#rest === undefined ? this.#kept.get(this.#at + 1) : undefined;
    if (data) this.#kept.delete(this.#at + 1);
    return data;
  }

  /** Goes on to a version. A version without changes, as a redelivery makes it, is no step. */
  #advance(version: number, changes: readonly Change[], last = version): OrderedStep<Change>[] {
    // A row that is changed again while it is read comes with its later version, which brings it again.
    const data = changes.filter(({ change }) => change > this.#at && change <= last);
    this.#at = Math.max(this.#at, version);
    return data.length > 0 ? [{ change: this.#at, data }] : [];
  }
}
