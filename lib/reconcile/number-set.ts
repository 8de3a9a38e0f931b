interface Stretch {
  first: number;
  last: number;
}

/** Whole numbers, kept as stretches: what comes one after the other takes no more room than a single one. */
export class NumberSet {
  #stretches: Stretch[] = [];
  #sorted = true;

  add(number: number): void {
    const end = this.#stretches.at(-1);
    if (end && number === end.last + 1) end.last = number;
    else if (!end || number > end.last || number < end.first) {
      this.#stretches.push({ first: number, last: number });
      this.#sorted = false;
    }
  }

  has(number: number): boolean {
    const stretches = this.#inOrder();
    let [from, to] = [0, stretches.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const { first, last } = stretches[middle] as Stretch;
      if (number < first) to = middle;
      else if (number > last) from = middle + 1;
      else return true;
    }
    return false;
  }

  /** The highest; 0 when there is none. */
  highest(): number {
    return this.#inOrder().at(-1)?.last ?? 0;
  }

  #inOrder(): Stretch[] {
    if (this.#sorted) return this.#stretches;
    const joined: Stretch[] = [];
    for (const stretch of this.#stretches.sort((a, b) => a.first - b.first)) {
      const end = joined.at(-1);
      if (end && stretch.first <= end.last + 1) end.last = Math.max(end.last, stretch.last);
      else joined.push(stretch);
    }
    this.#stretches = joined;
    this.#sorted = true;
    return joined;
  }
}
