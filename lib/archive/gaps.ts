import { limits } from '../limits.ts';
import type { Parent } from '../model/keys.ts';
import type { NumberRange } from '../model/ranges.ts';
import { ArchiveProblem } from './format.ts';

/** Numbers of an application's chats or of a chat's messages. */
export interface GapPage {
  parent: Parent;
  numbers: number[];
}

/**
 * The numbers of an archive file that have no line. Keeps those that `take` has not returned, in the order of the file.
 */
export class Gaps {
  /** How many there are in total, including those that `take` has returned. */
  count = 0;
  /** The chat or message that the first of these numbers belongs to, such as `chat 4` or `message 2/7`. */
  first: string | undefined;
  #kept: { parent: Parent; range: NumberRange }[] = [];
  #keptCount = 0;

  /**
   * Adds the numbers of a range, which may be empty.
   *
   * @throws ArchiveProblem when there are more than `limits.archiveGaps`
   */
  add(parent: Parent, { from, to }: NumberRange): void {
    if (to < from) return;
    const { chat } = parent;
    this.count += to - from + 1;
    this.first ??= chat === undefined ? `chat ${from}` : `message ${chat}/${from}`;
    if (this.count > limits.archiveGaps) {
      const last = chat === undefined ? `chats ${from} to ${to}` : `messages ${from} to ${to} of chat ${chat}`;
      throw new ArchiveProblem(
        `comes after more than ${limits.archiveGaps} numbers that have no line, most recently ${last}; renumber the chats and messages from 1, with fewer gaps`,
      );
    }
    this.#keptCount += to - from + 1;
    this.#kept.push({ parent, range: { from, to } });
  }

  /**
   * Removes a page of numbers that have the same parent, and returns it.
   *
   * @param isLast whether no more numbers will be added. Otherwise returns undefined until there are enough for a page
   */
  take(isLast: boolean): GapPage | undefined {
    const [first] = this.#kept;
    if (!first || (!isLast && this.#keptCount < limits.rowsPerTransaction)) return undefined;
    const numbers: number[] = [];
    let taken = 0;
    for (const { parent, range } of this.#kept) {
      const room = limits.rowsPerTransaction - numbers.length;
      if (parent.chat !== first.parent.chat || room === 0) break;
      const to = Math.min(range.to, range.from + room - 1);
      for (let number = range.from; number <= to; number++) numbers.push(number);
      if (to === range.to) taken++;
      else range.from = to + 1;
    }
    this.#kept.splice(0, taken);
    this.#keptCount -= numbers.length;
    return { parent: first.parent, numbers };
  }
}
