/** A change, of which the sequence uses only `change`: the version in which it was made. */
export interface Versioned {
  change: number;
}

/** A step as a connection delivers it: the changes of one version, or no `data` if they are too large to be sent. */
export interface WireStep<Change extends Versioned> {
  change: number;
  data?: readonly Change[];
}

/** A page of `GET …/changes`: everything that changed after a version, up to the version `change`. */
export interface ReadPage<Change extends Versioned> {
  change: number;
  data: readonly Change[];
  /** Whether more changes follow this page. */
  more: boolean;
  /** Set if the page ends inside a version, the one after `change`. It reads the rest of that version. */
  cursor?: string | null;
}

/** A step as the consumer gets it: all changes since the step before. */
export interface OrderedStep<Change extends Versioned> {
  /**
   * The version that the consumer has after this step, and from which it can continue later. A version that is too
   * large for one page comes in several steps. Until the last of them, this is the version before.
   */
  change: number;
  data: Change[];
  /** The system was restored from a backup and has fewer versions than the consumer. Everything comes again, from 0. */
  reset?: true;
}

/**
 * Maximum number of steps that are kept while an earlier one is missing. Further ones are dropped and read later, so
 * that memory is bounded.
 */
const keptSteps = 100;

/**
 * Puts the steps of one chat, or of an application's chats, in order. A connection may lose, repeat and reorder steps.
 * The sequence returns each version once and in order. It also tells when a version is missing that must be read with
 * `GET …/changes`. It does no I/O and uses no clock.
 */
export class Sequence<Change extends Versioned> {
  #at: number;
  /** The highest version that is known to exist. */
  #newest: number;
  /** The version of the last step from a connection that keeps the order. */
  #received: number;
  /** Whether a page must be read: a step came without its changes, or the consumer may have a version that does not exist. */
  #mustRead = false;
  /** How to read the rest of the next version, of which the consumer has a part. */
  #rest: { after: number; cursor: string } | undefined;
  readonly #kept = new Map<number, readonly Change[] | undefined>();

  /** @param at the version that the consumer has */
  constructor(at: number) {
    this.#at = at;
    this.#newest = at;
    this.#received = at;
  }

  /** The version that the consumer has. */
  get at(): number {
    return this.#at;
  }

  /** Where to read next: after {@link at}, or in the middle of a version of which the consumer has a part. */
  get unread(): { after: number; cursor?: string } {
    return this.#rest ?? { after: this.#at };
  }

  /** Whether versions are missing. A connection that reorders steps may still deliver them. */
  get isBehind(): boolean {
    return this.mustRead || this.#newest > this.#at;
  }

  /** Whether the next version must be read, because no connection will deliver it. */
  get mustRead(): boolean {
    const next = this.#at + 1;
    const isTooLarge = this.#kept.has(next) && this.#kept.get(next) === undefined;
    return isTooLarge || this.#mustRead || this.#rest !== undefined;
  }

  /** Tells that a new connection was opened. If it keeps the order, its first step comes after {@link at}. */
  connect(): void {
    this.#received = this.#at;
  }

  /** Takes a step from a connection that may lose, repeat and reorder steps, and returns the steps that are next. */
  receive({ change, data }: WireStep<Change>): OrderedStep<Change>[] {
    if (change <= this.#at) return [];
    this.#newest = Math.max(this.#newest, change);
    if (this.#kept.size < keptSteps) this.#kept.set(change, data);
    const steps: OrderedStep<Change>[] = [];
    for (let next = this.#take(); next; next = this.#take()) steps.push(...this.#advance(this.#at + 1, next));
    return steps;
  }

  /**
   * Takes a step from a connection that loses nothing and keeps the order, and returns the steps that are next. Such a
   * connection leaves out versions without changes. If its version falls, the system was restored from a backup, and the
   * connection sends everything again.
   */
  receiveInOrder({ change, data }: WireStep<Change>): OrderedStep<Change>[] {
    const steps = change <= this.#received ? this.#reset() : [];
    this.#received = change;
    if (change <= this.#at) return steps;
    this.#newest = Math.max(this.#newest, change);
    if (data && !this.mustRead) steps.push(...this.#advance(change, data));
    else this.#mustRead = true;
    return steps;
  }

  /** Takes the newest version, as the server tells it. */
  receiveVersion(version: number): void {
    this.#newest = Math.max(this.#newest, version);
    if (version < this.#at) this.#mustRead = true;
  }

  /** Takes the page that was read with {@link unread}, and returns the steps that are next. */
  read(after: number, { change, data, more, cursor }: ReadPage<Change>): OrderedStep<Change>[] {
    this.#mustRead = false;
    this.#rest = undefined;
    if (change < after) return this.#reset();
    const steps = this.#advance(change, data, cursor ? Number.POSITIVE_INFINITY : change);
    if (cursor) this.#rest = { after, cursor };
    // Every version that was announced can be read, so the last page ends with the newest version.
    this.#newest = more ? this.#at + 1 : this.#at;
    for (const kept of this.#kept.keys()) if (!more || kept <= this.#at) this.#kept.delete(kept);
    return steps;
  }

  #reset(): OrderedStep<Change>[] {
    this.#at = 0;
    this.#newest = 1;
    this.#rest = undefined;
    this.#kept.clear();
    return [{ change: 0, data: [], reset: true }];
  }

  #take(): readonly Change[] | undefined {
    const data = this.#rest === undefined ? this.#kept.get(this.#at + 1) : undefined;
    if (data) this.#kept.delete(this.#at + 1);
    return data;
  }

  /** Advances to a version. Returns no step for a version without changes, which a redelivered queue record makes. */
  #advance(version: number, changes: readonly Change[], last = version): OrderedStep<Change>[] {
    // A row that changed again while the page was read has a later version, and comes again with that version.
    const data = changes.filter(({ change }) => change > this.#at && change <= last);
    this.#at = Math.max(this.#at, version);
    return data.length > 0 ? [{ change: this.#at, data }] : [];
  }
}
