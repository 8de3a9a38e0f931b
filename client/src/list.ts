/** A page of a list. */
export interface Page<Item> {
  data: Item[];
  /** The cursor of the next page; null on the last one. */
  next: string | null;
}

/**
 * A list that requests a page when the loop needs it: `for await (const item of list)`. It can be iterated several
 * times, and then reads again.
 */
export class List<Item, Of extends Page<Item>> implements AsyncIterable<Item> {
  readonly #read: (cursor: string | undefined) => Promise<Of>;

  constructor(read: (cursor: string | undefined) => Promise<Of>) {
    this.#read = read;
  }

  /** Returns one page: the first one, or that of a cursor. Besides its items, it has members such as `total`. */
  page(cursor?: string): Promise<Of> {
    return this.#read(cursor);
  }

  /** Returns all pages. */
  async *pages(): AsyncGenerator<Of> {
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await this.#read(cursor);
      yield page;
      cursor = page.next;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    for await (const page of this.pages()) yield* page.data;
  }
}
