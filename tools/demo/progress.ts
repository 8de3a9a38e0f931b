import { MultiBar, type SingleBar } from 'cli-progress';
import { barOptions, lineEveryMs } from '../cli/bars.ts';
import { formatNumber } from '../cli/numbers.ts';

const stages = ['accepted', 'stored', 'searchable'] as const;
type Stage = (typeof stages)[number];

/** Shows how many messages have reached each stage: as bars on a terminal, otherwise as a line every few seconds. */
export class Progress {
  readonly #total: number;
  readonly #reached: Record<Stage, number> = { accepted: 0, stored: 0, searchable: 0 };
  readonly #bars: MultiBar | undefined;
  readonly #barOf = new Map<Stage, SingleBar>();
  readonly #lines: NodeJS.Timeout | undefined;

  constructor(total: number) {
    this.#total = total;
    if (!process.stdout.isTTY) {
      this.#lines = setInterval(() => this.#line(), lineEveryMs);
      return;
    }
    const format = '  {stage} {bar} {percentage}%  {value} of {total} messages';
    this.#bars = new MultiBar(barOptions(process.stdout, format, { value: formatNumber(total).length }));
    const width = Math.max(...stages.map((stage) => stage.length));
    for (const stage of stages) this.#barOf.set(stage, this.#bars.create(total, 0, { stage: stage.padEnd(width) }));
  }

  /** The number of messages that the API has accepted. */
  get accepted(): number {
    return this.#reached.accepted;
  }

  /** Adds messages that have reached the stage. */
  reached(stage: Stage, messages: number): void {
    this.#reached[stage] += messages;
    this.#barOf.get(stage)?.update(this.#reached[stage]);
  }

  /** Prints a line above the bars. */
  print(line: string): void {
    if (this.#bars) this.#bars.log(`${line}\n`);
    else console.log(line);
  }

  /** Shows the last state, stops updating, and restores the terminal. */
  stop(): void {
    if (this.#bars) this.#bars.stop();
    else if (this.#lines) this.#line();
    clearInterval(this.#lines);
  }

  #line(): void {
    const reached = stages.map((stage) => `${stage} ${formatNumber(this.#reached[stage])}`).join(', ');
    console.log(`  ${reached} of ${formatNumber(this.#total)} messages`);
  }
}
