import { Argument, Command } from 'commander';
import { type BorrowedStack, borrowStack } from '../stack/borrow.ts';
import { wrk } from '../stack/native/tools.ts';
import { StackProblem } from '../stack/problem.ts';
import { requireTools } from '../stack/tools.ts';
import type { Scale } from './figure.ts';
import { figures } from './figures.ts';
import { circumstancesNow } from './machine.ts';
import { writeReport } from './report.ts';
import { keepResult, readResults } from './results.ts';
import { cellsOf, columns } from './table.ts';

const say = (line: string) => console.error(`  ${line}`);

const command = new Command('script/bench')
  .description(
    'Measures how fast the system is, against references that are measured beside it, and writes docs/benchmarks.md. Nothing else should run on the machine meanwhile.',
  )
  .addArgument(new Argument('[figures...]', 'what to measure; everything, else').choices(Object.keys(figures)))
  .option('--smoke', 'see in seconds that measuring works; its figures mean nothing, and are not kept')
  .helpOption('-h, --help', 'show this')
  .addHelpText(
    'after',
    `\nFigures:\n${Object.entries(figures)
      .map(([name, { title }]) => `  ${name.padEnd(20)} ${title}\n`)
      .join('')}`,
  )
  .parse();
const { smoke } = command.opts<{ smoke?: true }>();
const scale: Scale = smoke ? 'smoke' : 'full';

/** Brought up by the first figure that asks for them. */
let stack: Promise<BorrowedStack> | undefined;
const servers = () => {
  stack ??= borrowStack(say);
  return stack;
};

try {
  await requireTools([wrk]);
  for (const name of command.args.length > 0 ? command.args : Object.keys(figures)) await measure(name);
  if (!smoke) writeReport(figures, readResults());
} catch (error) {
  console.error(error instanceof StackProblem ? error.message : error);
  process.exitCode = 1;
} finally {
  await (await stack)?.giveBack();
}

async function measure(name: string): Promise<void> {
  const figure = figures[name];
  if (!figure) throw new Error(`There is no figure ${name}`);
  console.log(`\n${figure.title} (${name})\n`);
  const circumstances = circumstancesNow();
  const measurements = await figure.measure({ scale, say, servers });
  for (const measurement of measurements)
    console.log(
      cellsOf(measurement)
        .map((cell, column) =>
          cell && columns[column] && column > 1 ? `${columns[column].split(' ')[0]} ${cell}` : cell,
        )
        .filter(Boolean)
        .join('; '),
    );
  if (!smoke) keepResult(name, { circumstances, measurements });
}
