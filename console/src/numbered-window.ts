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

const nothing = { data: [], next: null, pending: [] };
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
  /** Accepted numbers in the window that are not stored yet. */
  pending: number[] = [];
  /** Whether there may be more items before the first one, and after the last one. */
  hasBefore = false;
  hasAfter = false;
  /** Whether a page has been read. */
  isLoaded = false;
  readonly #read: (range: Range) => Promise<NumberedPage<Item>>;
  readonly #changed: () => void;
  /** What changed while pages are read, because a page may be older than a change that came before its response. */
  #missed: ItemChange<Item>[] = [];
  #reading: Promise<void> | undefined;
  /** Counts jumps, so that the page of an earlier jump is dropped. */
  #jumps = 0;

  constructor(read: (range: Range) => Promise<NumberedPage<Item>>, changed: () => void) {
    this.#read = read;
    this.#changed = changed;
  }

  /** Replaces the items by the newest ones. */
  jumpToEnd(): Promise<void> {
    return this.#jump(async () => {
      const page = await this.#read({ order: 'desc', limit: pageSize });
      return { data: page.data.reverse(), hasBefore: page.next !== null, hasAfter: false, pending: page.pending };
    });
  }

  /** Replaces the items by those around a number. */
  jumpTo(number: number): Promise<void> {
    return this.#jump(async () => {
      const limit = pageSize / 2;
      const [before, after] = await Promise.all([
        number > 1 ? this.#read({ before: number, order: 'desc', limit }) : nothing,
        this.#read({ after: number - 1, order: 'asc', limit }),
      ]);
      return {
        data: [...before.data.reverse(), ...after.data],
        hasBefore: before.next !== null,
        hasAfter: after.next !== null,
        pending: [...(before.pending ?? []), ...(after.pending ?? [])],
      };
    });
  }

  /** Reads the page before the first item. Does nothing while another page is read. */
  readBefore(): Promise<void> {
    if (!this.hasBefore) return Promise.resolve();
    return this.#extend(async () => {
      const first = this.items[0]?.number;
      const page = await this.#read({ ...(first && { before: first }), order: 'desc', limit: pageSize });
      this.items = [...page.data.reverse(), ...this.items];
      this.#add(page.pending);
      this.hasBefore = page.next !== null;
      if (this.items.length > mostItems) {
        this.items = this.items.slice(0, mostItems);
        this.hasAfter = true;
      }
    });
  }

  /** Reads the page after the last item. Does nothing while another page is read. */
  readAfter(): Promise<void> {
    if (!this.hasAfter) return Promise.resolve();
    return this.#extend(async () => {
      const page = await this.#read({ after: this.items.at(-1)?.number ?? 0, order: 'asc', limit: pageSize });
      this.items = [...this.items, ...page.data];
      this.#add(page.pending);
      this.hasAfter = page.next !== null;
      if (this.items.length > mostItems) {
        this.items = this.items.slice(-mostItems);
        this.hasBefore = true;
      }
    });
  }

  /** Reads the range of the window again, because counts and pending numbers do not come as changes. */
  refresh(): Promise<void> {
    const [first, last] = [this.items[0]?.number, this.items.at(-1)?.number];
    if (first === undefined || last === undefined) return Promise.resolve();
    return this.#extend(async () => {
      const range = { after: first - 1, before: last + 1, order: 'asc' as const, limit: mostItems };
      const page = await this.#read(range);
      // An incomplete page would look as if items had been deleted.
      if (page.next !== null) return;
      this.items = page.data;
      this.pending = page.pending ?? [];
    });
  }

  /**
   * Applies changes that came live.
   *
   * @param keepsStart whether items at the start must stay because the user reads there
   */
  apply(changes: ItemChange<Item>[], keepsStart = false): void {
    if (this.#reading !== undefined) this.#missed.push(...changes);
    for (const change of changes) this.#applyOne(change, keepsStart);
    this.#changed();
  }

  #applyOne({ number, item }: ItemChange<Item>, keepsStart: boolean): void {
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
    if (at < 0 && this.items.length >= mostItems && keepsStart) {
      this.hasAfter = true;
      return;
    }
    this.items = this.items.toSpliced(at < 0 ? this.items.length : at, 0, item);
    if (this.items.length > mostItems) {
      this.items = this.items.slice(-mostItems);
      this.hasBefore = true;
    }
  }

  #add(pending: number[] = []): void {
    this.pending = [...new Set([...this.pending, ...pending])];
  }

  async #jump(
    read: () => Promise<{ data: Item[]; hasBefore: boolean; hasAfter: boolean; pending: number[] | undefined }>,
  ): Promise<void> {
    const jump = ++this.#jumps;
    await this.#reading?.catch(() => undefined);
    if (jump !== this.#jumps) return;
    await this.#extend(async () => {
      const { data, hasBefore, hasAfter, pending = [] } = await read();
      Object.assign(this, { items: data, hasBefore, hasAfter, pending, isLoaded: true });
    });
  }

  async #extend(read: () => Promise<void>): Promise<void> {
    if (this.#reading !== undefined) return;
    this.#reading = read();
    try {
      await this.#reading;
    } finally {
      this.#reading = undefined;
      for (const change of this.#missed.splice(0)) this.#applyOne(change, false);
      this.#changed();
    }
  }
}
