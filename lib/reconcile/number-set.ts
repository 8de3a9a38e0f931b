import type { NumberRange } from '../model/ranges.ts';

/** A set of whole numbers, stored as ranges, so consecutive numbers take no more memory than a single one. */
export class NumberSet {
  #ranges: NumberRange[] = [];
  #sorted = true;

  add(number: number): void {
    const end = this.#ranges.at(-1);
    if (end && number === end.to + 1) end.to = number;
    else if (!end || number > end.to || number < end.from) {
      this.#ranges.push({ from: number, to: number });
      this.#sorted = false;
    }
  }

  has(number: number): boolean {
    const ranges = this.#inOrder();
    let [from, to] = [0, ranges.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const range = ranges[middle] as NumberRange;
      if (number < range.from) to = middle;
      else if (number > range.to) from = middle + 1;
      else return true;
    }
    return false;
  }

  /** Returns the highest number; 0 when the set is empty. */
  highest(): number {
    return this.#inOrder().at(-1)?.to ?? 0;
  }

  #inOrder(): NumberRange[] {
    if (this.#sorted) return this.#ranges;
    const joined: NumberRange[] = [];
    for (const range of this.#ranges.sort((a, b) => a.from - b.from)) {
      const end = joined.at(-1);
      if (end && range.from <= end.to + 1) end.to = Math.max(end.to, range.to);
      else joined.push(range);
    }
    this.#ranges = joined;
    this.#sorted = true;
    return joined;
  }
}
