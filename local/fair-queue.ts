/**
 * The name under which all requests with unknown tokens wait, as if of one application. With a name for each token, a
 * client that invents tokens would delay the requests of real applications, and fill the queue. No token contains a
 * space.
 */
const unknownTokens = 'unknown tokens';

/**
 * Returns the name under which a request waits: the token of its application, or the one name of all unknown
 * tokens. Requests without a token have the name ''.
 *
 * @param isKnown whether an application has this token
 */
export const applicationInQueue = (token: string, isKnown: (token: string) => boolean): string =>
  token === '' || isKnown(token) ? token : unknownTokens;

interface Item {
  /** See {@link applicationInQueue}. */
  application: string;
  /** Time of arrival, in milliseconds of `performance.now()`. */
  arrivedAt: number;
}

/** A queue that serves applications round-robin, and the requests of each in the order of arrival. */
export class FairQueue<Element extends Item> {
  readonly #most: { perApplication: number; total: number };
  /** The waiting items of each application that has any. The application that is served next comes first. */
  readonly #byApplication = new Map<string, Element[]>();
  #length = 0;

  /** @param most the maximum number of items that may wait, of one application and of all together */
  constructor(most = { perApplication: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY }) {
    this.#most = most;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds an item. Returns false, and adds nothing, when too many are waiting already. */
  add(item: Element): boolean {
    const ofOne = this.#byApplication.get(item.application) ?? [];
    if (this.#length >= this.#most.total || ofOne.length >= this.#most.perApplication) return false;
    ofOne.push(item);
    this.#byApplication.set(item.application, ofOne);
    this.#length++;
    return true;
  }

  /** Takes the oldest item of the next application for which `mayTake` returns true. */
  take(mayTake: (application: string) => boolean): Element | undefined {
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

  /** Removes an item. Does nothing when it does not wait any more. */
  remove(item: Element): void {
    const { application } = item;
    const items = this.#byApplication.get(application) ?? [];
    const at = items.indexOf(item);
    if (at < 0) return;
    items.splice(at, 1);
    if (items.length === 0) this.#byApplication.delete(application);
    this.#length--;
  }

  /** Takes all items that arrived at this time or before. */
  takeArrivedUntil(time: number): Element[] {
    const taken: Element[] = [];
    for (const [application, items] of this.#byApplication) {
      const later = items.findIndex(({ arrivedAt }) => arrivedAt > time);
      taken.push(...items.splice(0, later < 0 ? items.length : later));
      if (items.length === 0) this.#byApplication.delete(application);
    }
    this.#length -= taken.length;
    return taken;
  }
}
