/** The time of one slot of a round, in milliseconds. */
const slotMs = 100;

/** Visits each of many things once in every round, spread evenly over the time of the round. */
export class Rounds<Thing> {
  readonly #visit: (thing: Thing) => void;
  readonly #slots: Set<Thing>[];
  readonly #slotOf = new Map<Thing, Set<Thing>>();
  #next = 0;
  #nextAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param roundMs time between two visits of a thing, in milliseconds */
  constructor(roundMs: number, visit: (thing: Thing) => void) {
    this.#visit = visit;
    this.#slots = Array.from({ length: Math.ceil(roundMs / slotMs) }, () => new Set<Thing>());
  }

  /** Adds a thing. It is visited for the first time after a whole round. */
  add(thing: Thing): void {
    if (!this.#timer) {
      this.#nextAt = performance.now() + slotMs;
      this.#timer = setInterval(() => this.#visitDue(), slotMs);
      this.#timer.unref();
    }
    const slot = this.#slots[(this.#next || this.#slots.length) - 1] as Set<Thing>;
    slot.add(thing);
    this.#slotOf.set(thing, slot);
  }

  delete(thing: Thing): void {
    this.#slotOf.get(thing)?.delete(thing);
    this.#slotOf.delete(thing);
    if (this.#slotOf.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Visits the things of every slot whose time has come: several slots after a delay. */
  #visitDue(): void {
    const now = performance.now();
    // At most one round, however long this process was suspended.
    this.#nextAt = Math.max(this.#nextAt, now - this.#slots.length * slotMs);
    for (; this.#nextAt <= now; this.#nextAt += slotMs) {
      const slot = this.#slots[this.#next] as Set<Thing>;
      this.#next = (this.#next + 1) % this.#slots.length;
      for (const thing of slot) this.#visit(thing);
    }
  }
}
