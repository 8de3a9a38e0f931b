import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { project } from '../cli/project.ts';
import { median } from '../statistics/quantiles.ts';
import type { Figure, Measurement } from './figure.ts';
import type { Circumstances } from './machine.ts';
import { meets, ratios } from './ratios.ts';
import type { Result } from './results.ts';
import { cellsOf, columns, number, spread, targetOf, verdictOf } from './table.ts';

const file = path.join(project, 'docs/benchmarks.md');
const [begin, end] = ['<!-- what follows is written by script/bench -->', '<!-- up to here -->'];

/** Writes the figures between the markers of docs/benchmarks.md. The rest of that page is written by hand. */
export function writeReport(figures: Record<string, Figure>, results: Record<string, Result>): void {
  const document = readFileSync(file, 'utf8');
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} lacks the markers of the figures: ${begin} … ${end}`);
  const usual = usualMachine(Object.values(results));
  const sections = Object.entries(figures).flatMap(([name, figure]) => {
    const result = results[name];
    return result ? [sectionOf(name, figure, result, usual)] : [];
  });
  const unrecorded = Object.keys(figures).filter((name) => !results[name]);
  const preface = [
    `The machine, if a figure does not name another: ${usual}.`,
    ...(unrecorded.length > 0 ? [`Not recorded yet: ${unrecorded.map((name) => `\`${name}\``).join(', ')}.`] : []),
  ].join(' ');
  const figuresText = [wrapped(preface), ...sections].join('\n\n');
  writeFileSync(file, `${document.slice(0, from)}${begin}\n\n${figuresText}\n\n${document.slice(to)}`);
}

const sectionOf = (
  name: string,
  { title, about, matrix }: Figure,
  { circumstances, measurements }: Result,
  usual: string,
): string =>
  [
    `### ${title}`,
    wrapped(about),
    ...(matrix ? matricesOf(measurements) : [filled([columns, ...measurements.map(cellsOf)])]).map(table),
    `\`script/bench ${name}\` — ${circumstancesOf(circumstances, usual)}`,
  ].join('\n\n');

const width = 120;

/** Returns the text with line breaks between words, so that lines have at most 120 columns where words allow it. */
const wrapped = (text: string): string =>
  text
    .trim()
    .split(/\s+/)
    .reduce((lines, word) => {
      const column = lines.length - lines.lastIndexOf('\n') - 1;
      return lines + (column + 1 + word.length > width ? '\n' : ' ') + word;
    });

/** Returns a table, whose first row holds the headings. */
const table = ([headings = [], ...rows]: string[][]): string =>
  [headings, headings.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Returns the rows without the columns in which only the heading is filled. */
const filled = (rows: string[][]): string[][] =>
  rows.map((cells) => cells.filter((_, column) => rows.slice(1).some((row) => row[column])));

/** Returns measurements named `row: column` or `matrix: row: column` as matrices with headings. */
function matricesOf(measurements: Measurement[]): string[][][] {
  const named = measurements.map((measurement) => {
    const [column = '', row = '', matrix = 'measured'] = measurement.what.split(': ').reverse();
    return { ...measurement, column, row, matrix };
  });
  return Object.entries(Object.groupBy(named, ({ matrix }) => matrix)).map(([matrix, of = []]) => {
    const units = new Set(of.map(({ unit }) => unit));
    // One unit for the whole matrix stands in the first heading.
    const unit = units.size === 1 && of.every(({ reference, bar }) => !reference && !bar) ? [...units] : [];
    const headings = Object.entries(Object.groupBy(of, ({ column }) => column)).flatMap(([column, cells = []]) =>
      columnsOf(column, cells).map(({ heading, cells }) => ({ heading: unit.length > 0 ? column : heading, cells })),
    );
    return [
      [[matrix, ...unit].join(', '), ...headings.map(({ heading }) => heading)],
      ...[...new Set(of.map(({ row }) => row))].map((row) => [
        row,
        ...headings.map(({ cells }) => cells.get(row) ?? ''),
      ]),
    ];
  });
}

/** Returns the columns of measurements of one quantity: the values, and their references, ratios and targets, if any. */
function columnsOf(column: string, of: (Measurement & { row: string })[]) {
  const units = new Set(of.map(({ unit }) => unit));
  const heading = [column, ...(units.size === 1 ? units : [])].join(', ');
  const columnOf = (heading: string, cellOf: (measurement: Measurement) => string) => ({
    heading,
    cells: new Map(of.map((measurement) => [measurement.row, cellOf(measurement)])),
  });
  const [first] = of;
  return [
    columnOf(heading, ({ values, unit }) => (units.size === 1 ? spread(values) : `${spread(values)} ${unit}`)),
    ...(first?.reference
      ? [
          columnOf(`${first.reference.what}, ${first.unit}`, ({ reference }) =>
            number(median(reference?.values ?? [])),
          ),
          columnOf('ratio', (measurement) => spread(ratios(measurement) ?? [])),
        ]
      : []),
    ...(first?.bar
      ? [columnOf(`target met: ${targetOf(first, column)}`, (measurement) => verdictOf(meets(measurement)))]
      : []),
  ];
}

const machineOf = ({ machine, node }: Circumstances): string => `${machine}; Node.js ${node}`;

/** Returns the machine on which most figures were measured. */
function usualMachine(results: Result[]): string {
  const machines = Object.groupBy(results, ({ circumstances }) => machineOf(circumstances));
  const [[machine] = ['']] = Object.entries(machines).sort(([, a = []], [, b = []]) => b.length - a.length);
  return machine;
}

const circumstancesOf = (circumstances: Circumstances, usual: string): string => {
  const machine = machineOf(circumstances);
  return `${circumstances.date}, commit ${circumstances.commit}${machine === usual ? '' : `; ${machine}`}`;
};
