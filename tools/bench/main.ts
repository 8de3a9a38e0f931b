import { Argument, Command, Option } from 'commander';
import { runSubcommand } from '../cli/command-line.ts';
import { onLostReader } from '../cli/output.ts';
import { printFailure } from '../cli/problem.ts';
import { type BorrowedStack, borrowStack } from '../stack/borrow.ts';
import { wrk } from '../stack/native/tools.ts';
import { requireTools } from '../stack/tools.ts';
import type { Scale } from './figure.ts';
import { figures } from './figures.ts';
import { circumstancesNow } from './machine.ts';
import { writeReport } from './report.ts';
import { type Result, readResults, recordResult } from './results.ts';
import { cellsOf, columns } from './table.ts';

const longestName = Math.max(...Object.keys(figures).map((name) => name.length));
const say = (line: string) => console.error(`  ${line}`);

interface Flags {
  smoke?: true;
  record?: true;
}

const program = new Command('script/bench')
  .description(
    'Measures the speed of the system and of references, which are measured alternately. Nothing else should run on the machine.',
  )
  .addArgument(new Argument('[figures...]', 'the figures to measure (default: all)').choices(Object.keys(figures)))
  .option('--record', 'write the results to docs/benchmarks.md and tools/bench/results.json')
  .addOption(
    new Option('--smoke', 'check in a minute that measuring works; the results mean nothing').conflicts('record'),
  )
  .helpOption('-h, --help', 'show this')
  .addHelpText(
    'after',
    `\nFigures:\n${Object.entries(figures)
      .map(([name, { title }]) => `  ${name.padEnd(longestName)}  ${title}\n`)
      .join('')}`,
  )
  .action(run);
const measured: Record<string, Result> = {};

/** The servers, started by the first figure that needs them. */
let stack: Promise<BorrowedStack> | undefined;
const servers = () => {
  stack ??= borrowStack(say);
  return stack;
};

// Continue when the reader of the output stops early, because the servers that were started must be stopped again.
onLostReader(() => true);
try {
  await runSubcommand(program, process.argv.slice(2));
} catch (error) {
  process.exitCode = printFailure(error);
}

async function run(names: string[], flags: Flags): Promise<void> {
  try {
    await requireTools([wrk]);
    for (const name of names.length > 0 ? names : Object.keys(figures)) await measure(name, flags);
    if (flags.record) writeReport(readResults());
  } finally {
    await (await stack)?.release();
  }
}

async function measure(name: string, { smoke, record }: Flags): Promise<void> {
  const figure = figures[name];
  if (!figure) throw new Error(`There is no figure ${name}`);
  console.log(`\n${figure.title} (${name})\n`);
  const circumstances = circumstancesNow();
  const results = () => ({ ...readResults(), ...measured });
  const scale: Scale = smoke ? 'smoke' : 'full';
  const measurements = await figure.measure({ scale, say, servers, results });
  for (const measurement of measurements)
    console.log(
      cellsOf(measurement)
        .map((cell, column) => (cell && column > 1 ? `${columns[column]}: ${cell}` : cell))
        .filter(Boolean)
        .join('; '),
    );
  if (smoke) return;
  measured[name] = { circumstances, measurements };
  if (record) recordResult(name, measured[name]);
}
