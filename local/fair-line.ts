/** Items of one application that wait. Reads take 1 to 20 ms, so more would hardly be answered within their deadline. */
const mostOfOne = 100;
/** Items of all applications that wait. An event holds the path and the headers, at most some 50 kB: 25 MB in all. */
const mostOfAll = 500;

interface Item {
  application: string;
  /** Of `performance.now()`. */
  arrivedAt: number;
}

/** A queue that serves applications in turn, and the reads of each in the order of arrival. */
export class FairLine<Waiting extends Item> {
  /** Only applications that have something waiting; the one whose turn it is comes first. */
  readonly #byApplication = new Map<string, Waiting[]>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Returns false, and adds nothing, when too much waits already. */
  add(item: Waiting): boolean {
    const ofOne = this.#byApplication.get(item.application) ?? [];
    if (this.#length >= mostOfAll || ofOne.length >= mostOfOne) return false;
    ofOne.push(item);
    this.#byApplication.set(item.application, ofOne);
    this.#length++;
    return true;
  }

  /** Takes the oldest item of the next application that may have one taken. */
  take(mayTake: (application: string) => boolean): Waiting | undefined {
    for (const [application, items] of this.#byApplication) {
      if (!mayTake(application)) continue;
      const item = items.shift();
      this.#byApplication.delete(application);
      if (items.length > 0) this.#byApplication.set(application, items);
      this.#length--;
      return item;
    }
    return undefined;
  }

  /** Takes all items that arrived until then. */
  takeArrivedUntil(time: number): Waiting[] {
    const taken: Waiting[] = [];
    for (const [application, items] of this.#byApplication) {
      const later = items.findIndex(({ arrivedAt }) => arrivedAt > time);
      taken.push(...items.splice(0, later < 0 ? items.length : later));
      if (items.length === 0) this.#byApplication.delete(application);
    }
    this.#length -= taken.length;
    return taken;
  }
}
