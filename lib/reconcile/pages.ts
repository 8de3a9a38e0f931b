import { limits } from '../limits.ts';
import { isNumber } from '../model/bounds.ts';
import type { ChatKey } from '../model/keys.ts';
import type { NumberRange } from '../model/ranges.ts';
import type { DocumentVersion } from '../search/search-index.ts';
import type { MessageVersion } from '../store/inventory.ts';
import type { Run } from './run.ts';

/** The rows of the store and the documents of the index in a range of a chat's numbers. */
export interface Page {
  chat: ChatKey;
  range: NumberRange;
  rows: MessageVersion[];
  documents: DocumentVersion[];
  /** The highest number in the index that is out of bounds, if any. */
  outOfBounds: number | undefined;
}

/** Reads a chat page by page: all numbers up to `top`, then the numbers above it that only the index has. */
export async function* pages(run: Run, chat: ChatKey, top: number): AsyncGenerator<Page> {
  const limit = limits.numbersCompared;
  let after = 0;
  let isLast = false;
  while (!isLast) {
    run.signal?.throwIfAborted();
    const listed = await run.searchIndex.versions(chat, { after, limit });
    const valid = listed.filter(({ number }) => isNumber(number));
    // Let other work of the thread run between two pages.
    await new Promise(setImmediate);
    // Above `top`, the numbers in the index may be far apart, so the page ends at the last one.
    const to = after < top ? Math.min(after + limit, limits.highestNumber) : (valid.at(-1)?.number ?? after);
    const range = { from: after + 1, to };
    const documents = valid.filter(({ number }) => number <= to);
    const rows = await run.store.messageVersions(chat, range);
    const outOfBounds = valid.length < listed.length ? listed.at(-1)?.number : undefined;
    yield { chat, range, rows, documents, outOfBounds };
    isLast = to >= top && valid.length < limit && valid.length === documents.length;
    after = to;
  }
}
