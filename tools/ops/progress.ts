import { SingleBar } from 'cli-progress';
import { figure } from '../cli/figures.ts';

const lineEveryMs = 2_000;

/**
 * Shows how far a command has come: as a bar on a terminal, as a line every few seconds elsewhere. All on standard error,
 * so that a command's output can go to a file.
 */
export class Progress {
  readonly #things: string;
  #total: number;
  #done = 0;
  #bar: SingleBar | undefined;
  #lastLine = Date.now();

  /** @param things what is counted, such as `messages` */
  constructor(things: string, total: number) {
    this.#things = things;
    this.#total = total;
    if (!process.stderr.isTTY) return;
    this.#bar = new SingleBar({
      stream: process.stderr,
      format: `  {bar} {percentage}%  {value} of {total} ${things}`,
      formatValue: (value, _options, type) => (type === 'percentage' ? String(value).padStart(3) : figure(value)),
      barsize: 30,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
    });
    this.#bar.start(total, 0);
  }

  /** So many more are to be done than was known. */
  expect(count: number): void {
    this.#total += count;
    this.#bar?.setTotal(this.#total);
  }

  /** So many more are done. The total is what was known at the start, and grows where it was too low. */
  advance(count: number): void {
    this.#done += count;
    this.#total = Math.max(this.#total, this.#done);
    this.#bar?.setTotal(this.#total);
    this.#bar?.update(this.#done);
    if (this.#bar || Date.now() - this.#lastLine < lineEveryMs) return;
    this.#lastLine = Date.now();
    const of = this.#total > this.#done ? ` of ${figure(this.#total)}` : '';
    console.error(`  ${figure(this.#done)}${of} ${this.#things}`);
  }

  /** Makes room for a line of output; the bar comes back with the next step. */
  clear(): void {
    if (this.#bar) process.stderr.write('\r\x1b[K');
  }

  /** Gives the terminal back. */
  stop(): void {
    this.#bar?.stop();
  }
}
