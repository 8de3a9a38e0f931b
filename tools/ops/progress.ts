import { SingleBar } from 'cli-progress';
import { barOptions, lineEveryMs } from '../cli/bars.ts';
import { formatNumber } from '../cli/numbers.ts';

/**
 * Shows the progress of a command: as a bar on a terminal, otherwise as a line every few seconds. Writes to standard
 * error, so that the output of the command can go to a file.
 */
export class Progress {
  readonly #things: string;
  #total: number;
  #done = 0;
  #bar: SingleBar | undefined;
  #lastLine = Date.now();

  /** @param things the plural noun of what is counted, such as `messages` */
  constructor(things: string, total: number) {
    this.#things = things;
    this.#total = total;
    if (!process.stderr.isTTY) return;
    this.#bar = new SingleBar(barOptions(process.stderr, `  {bar} {percentage}%  {value} of {total} ${things}`));
    this.#bar.start(total, 0);
  }

  /** Raises the total. */
  expect(count: number): void {
    this.#total += count;
    this.#bar?.setTotal(this.#total);
  }

  /** Adds to the number of things done. Raises the total when it was too low. */
  advance(count: number): void {
    this.#done += count;
    this.#total = Math.max(this.#total, this.#done);
    this.#bar?.setTotal(this.#total);
    this.#bar?.update(this.#done);
    if (this.#bar || Date.now() - this.#lastLine < lineEveryMs) return;
    this.#lastLine = Date.now();
    const of = this.#total > this.#done ? ` of ${formatNumber(this.#total)}` : '';
    console.error(`  ${formatNumber(this.#done)}${of} ${this.#things}`);
  }

  /** Clears the bar for a line of output; the next step draws it again. */
  clear(): void {
    if (this.#bar) process.stderr.write('\r\x1b[K');
  }

  /** Restores the terminal. */
  stop(): void {
    this.#bar?.stop();
  }
}
