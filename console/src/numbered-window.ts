/** A chat or message: what a list holds in the order of its numbers. */
export interface Numbered {
  number: number;
}

export interface Range {
  after?: number;
  before?: number;
  order: 'asc' | 'desc';
  limit: number;
}

/** A page of a numbered list. */
export interface NumberedPage<Item> {
  data: Item[];
  next: string | null;
  /** The numbers in the range of the page that are accepted but not stored yet. */
  pending?: number[];
}

/** A change of one item: the item as it is now, or undefined when it was deleted. */
export interface ItemChange<Item> {
  number: number;
  item: Item | undefined;
}

const nothing = { items: [], pending: [], more: false };
/** How many items are read as one page. */
const pageSize = 50;
/** The most items that are kept, so that the page stays small however long the list is. */
export const mostItems = 200;

/**
 * A part of a long list that follows where the user reads: all items between two numbers. It reads pages at either end,
 * and drops items at the other end.
 */
export class NumberedWindow<Item extends Numbered> {
  /** In the order of their numbers. */
  items: Item[] = [];
  /** Accepted numbers in the window that are not stored yet, in ascending order. */
  pending: number[] = [];
  /** Set by the view: whether items at the start must stay, because the user reads there. */
  keepsStart = false;
  /** Whether there may be more items before the first one, and after the last one. */
  hasBefore = false;
  hasAfter = false;
  /** Whether a page has been read. */
  isLoaded = false;
  readonly #read: (range: Range) => Promise<NumberedPage<Item>>;
  readonly #changed: () => void;
  /** Changes that arrived while a page is read. They are applied again to the page, because it may be older. */
  #missed: ItemChange<Item>[] = [];
  #reading: Promise<void> | undefined;
  /** Counts jumps, so that of the jumps that wait for a page in progress, only the last one reads. */
  #jumps = 0;

  constructor(read: (range: Range) => Promise<NumberedPage<Item>>, changed: () => void) {
    this.#read = read;
    this.#changed = changed;
  }

  /** Replaces the items by the newest ones. */
  jumpToEnd(): Promise<void> {
    return this.#jump(async () => {
      const { more, ...page } = await this.#page({ order: 'desc', limit: pageSize });
      return { ...page, hasBefore: more, hasAfter: false };
    });
  }

  /** Replaces the items by those around a number. */
  jumpTo(number: number): Promise<void> {
    return this.#jump(async () => {
      const limit = pageSize / 2;
      const [before, after] = await Promise.all([
        number > 1 ? this.#page({ before: number, order: 'desc', limit }) : nothing,
        this.#page({ after: number - 1, order: 'asc', limit }),
      ]);
      return {
        items: [...before.items, ...after.items],
        pending: [...before.pending, ...after.pending],
        hasBefore: before.more,
        hasAfter: after.more,
      };
    });
  }

  /** Reads the page before the first item. Does nothing while another page is read. */
  readBefore(): Promise<void> {
    if (!this.hasBefore) return Promise.resolve();
    return this.#extend(async () => {
      const { first } = this.#ends();
      const page = await this.#page({ ...(first && { before: first }), order: 'desc', limit: pageSize });
      this.items = [...page.items, ...this.items];
      this.pending = [...page.pending, ...this.pending];
      this.hasBefore = page.more;
      this.#dropEnd();
    });
  }

  /** Reads the page after the last item. Does nothing while another page is read. */
  readAfter(): Promise<void> {
    if (!this.hasAfter) return Promise.resolve();
    return this.#extend(async () => {
      const { last = 0 } = this.#ends();
      const page = await this.#page({ after: last, order: 'asc', limit: pageSize });
      this.items = [...this.items, ...page.items];
      this.pending = [...this.pending, ...page.pending];
      this.hasAfter = page.more;
      this.#dropStart();
    });
  }

  /** Reads the range of the window again, because counts and pending numbers do not come as changes. */
  refresh(): Promise<void> {
    return this.#extend(async () => {
      const { first = 1, last = 0 } = this.#ends();
      const range = { ...(this.hasBefore && { after: first - 1 }), ...(this.hasAfter && { before: last + 1 }) };
      const { items, pending, more } = await this.#page({ ...range, order: 'asc', limit: mostItems });
      // An incomplete page would look as if items had been deleted.
      if (!more) Object.assign(this, { items, pending });
    });
  }

  /** Applies changes that came live. */
  apply(changes: ItemChange<Item>[]): void {
    if (this.#reading !== undefined) this.#missed.push(...changes);
    // The first page will have them.
    if (!this.isLoaded) return;
    for (const change of changes) this.#applyOne(change);
    this.#changed();
  }

  #applyOne({ number, item }: ItemChange<Item>): void {
    this.pending = this.pending.filter((each) => each !== number);
    const at = this.items.findIndex((each) => each.number >= number);
    const isThere = this.items[at]?.number === number;
    if (!item) {
      if (isThere) this.items = this.items.toSpliced(at, 1);
      return;
    }
    if (isThere) {
      this.items = this.items.with(at, { ...this.items[at], ...item });
      return;
    }
    if (at === 0 && this.hasBefore) return;
    if (at < 0 && this.hasAfter) return;
    if (at < 0 && this.items.length >= mostItems && this.keepsStart) {
      this.hasAfter = true;
      return;
    }
    this.items = this.items.toSpliced(at < 0 ? this.items.length : at, 0, item);
    this.#dropStart();
  }

  #dropStart(): void {
    if (this.items.length <= mostItems) return;
    this.items = this.items.slice(-mostItems);
    this.hasBefore = true;
    const first = this.items[0]?.number ?? 0;
    this.pending = this.pending.filter((number) => number > first);
  }

  #dropEnd(): void {
    if (this.items.length <= mostItems) return;
    this.items = this.items.slice(0, mostItems);
    this.hasAfter = true;
    const last = this.items.at(-1)?.number ?? 0;
    this.pending = this.pending.filter((number) => number < last);
  }

  /**
   * Returns the first and the last number of the window, pending numbers included, because a page may have only those.
   */
  #ends(): { first: number | undefined; last: number | undefined } {
    const numbers = [this.items[0]?.number, this.items.at(-1)?.number, this.pending[0], this.pending.at(-1)].filter(
      (number) => number !== undefined,
    );
    return numbers.length > 0
      ? { first: Math.min(...numbers), last: Math.max(...numbers) }
      : { first: undefined, last: undefined };
  }

  /** Reads a page. What it returns is in ascending order. */
  async #page(range: Range): Promise<{ items: Item[]; pending: number[]; more: boolean }> {
    const { data, pending = [], next } = await this.#read(range);
    const isAscending = range.order === 'asc';
    return {
      items: isAscending ? data : data.toReversed(),
      pending: isAscending ? pending : pending.toReversed(),
      more: next !== null,
    };
  }

  async #jump(
    read: () => Promise<{ items: Item[]; pending: number[]; hasBefore: boolean; hasAfter: boolean }>,
  ): Promise<void> {
    const jump = ++this.#jumps;
    await this.#reading?.catch(() => undefined);
    if (jump !== this.#jumps) return;
    await this.#extend(async () => {
      Object.assign(this, await read(), { isLoaded: true });
    });
  }

  async #extend(read: () => Promise<void>): Promise<void> {
    if (this.#reading !== undefined) return;
    this.#missed = [];
    this.#reading = read();
    try {
      await this.#reading;
    } finally {
      this.#reading = undefined;
    }
    // Not reached when the read failed: the window is unchanged then, and `#changed` would make the view read the same
    // page again at once.
    for (const change of this.#missed) this.#applyOne(change);
    this.#changed();
  }
}
