import type { Stretch } from '../model/ranges.ts';

/** Whole numbers, kept as stretches: what comes one after the other takes no more room than a single one. */
export class NumberSet {
  #stretches: Stretch[] = [];
  #sorted = true;

  add(number: number): void {
    const end = this.#stretches.at(-1);
    if (end && number === end.to + 1) end.to = number;
    else if (!end || number > end.to || number < end.from) {
      this.#stretches.push({ from: number, to: number });
      this.#sorted = false;
    }
  }

  has(number: number): boolean {
    const stretches = this.#inOrder();
    let [from, to] = [0, stretches.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const stretch = stretches[middle] as Stretch;
      if (number < stretch.from) to = middle;
      else if (number > stretch.to) from = middle + 1;
      else return true;
    }
    return false;
  }

  /** The highest; 0 when there is none. */
  highest(): number {
    return this.#inOrder().at(-1)?.to ?? 0;
  }

  #inOrder(): Stretch[] {
    if (this.#sorted) return this.#stretches;
    const joined: Stretch[] = [];
    for (const stretch of this.#stretches.sort((a, b) => a.from - b.from)) {
      const end = joined.at(-1);
      if (end && stretch.from <= end.to + 1) end.to = Math.max(end.to, stretch.to);
      else joined.push(stretch);
    }
    this.#stretches = joined;
    this.#sorted = true;
    return joined;
  }
}
