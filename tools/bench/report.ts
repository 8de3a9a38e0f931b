import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { project } from '../cli/project.ts';
import { median } from '../statistics/quantiles.ts';
import type { Figure, Measurement } from './figure.ts';
import { topics } from './figures.ts';
import type { Circumstances } from './machine.ts';
import { meets, ratios } from './ratios.ts';
import type { Result } from './results.ts';
import { cellsOf, columns, number, spread, targetOf, verdictOf } from './table.ts';

const file = path.join(project, 'docs/benchmarks.md');
const [begin, end] = ['<!-- what follows is written by script/bench -->', '<!-- up to here -->'];

/** Writes the figures into docs/benchmarks.md. */
export function writeReport(results: Record<string, Result>): void {
  writeFileSync(file, withReport(readFileSync(file, 'utf8'), results));
}

/** Returns the document with these results between its markers. The rest of the document is written by hand. */
export function withReport(document: string, results: Record<string, Result>): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} lacks the markers of the figures: ${begin} … ${end}`);
  const all = Object.values(topics).flatMap((topic) => Object.entries(topic));
  const machines = [...new Set(all.flatMap(([name]) => machineOf(results[name]?.circumstances) ?? []))];
  const sections = [
    ...Object.entries(topics).flatMap(([topic, figures]) => sectionOf(topic, figures, results)),
    '### How each figure is measured',
    machines.map((machine, i) => `- Machine ${letter(i)}: ${machine}`).join('\n'),
    table([
      ['figure', 'measurement', 'machine, date, commit'],
      ...all.map(([name, { about }]) => [
        `\`${name}\``,
        about.trim().replace(/\s+/g, ' '),
        recordOf(results[name]?.circumstances, machines),
      ]),
    ]),
  ];
  return `${document.slice(0, from)}${begin}\n\n${sections.join('\n\n')}\n\n${document.slice(to)}`;
}

/** Returns a heading, one table of all figures that are not matrices, and the tables of each matrix. */
function sectionOf(topic: string, figures: Record<string, Figure>, results: Record<string, Result>): string[] {
  const recorded = Object.entries(figures).flatMap(([name, figure]) => {
    const measurements = results[name]?.measurements;
    return measurements ? [{ name: `\`${name}\``, isMatrix: figure.matrix, measurements }] : [];
  });
  const rows = recorded
    .filter(({ isMatrix }) => !isMatrix)
    .flatMap(({ name, measurements }) =>
      measurements.map((measurement, i) => [i === 0 ? name : '', ...cellsOf(measurement)]),
    );
  const matrices = recorded
    .filter(({ isMatrix }) => isMatrix)
    .flatMap(({ name, measurements }) => matricesOf(name, measurements));
  return [
    `### ${topic}`,
    ...(rows.length > 0 ? [table(filled([['figure', ...columns], ...rows]))] : []),
    ...matrices.map(table),
  ];
}

/** Returns a table, whose first row holds the headings. */
const table = ([headings = [], ...rows]: string[][]): string =>
  [headings, headings.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Returns the rows without the columns in which only the heading is filled. */
const filled = (rows: string[][]): string[][] =>
  rows.map((cells) => cells.filter((_, column) => rows.slice(1).some((row) => row[column])));

/** Returns measurements named `row: column` or `matrix: row: column` as matrices with headings. */
function matricesOf(name: string, measurements: Measurement[]): string[][][] {
  const named = measurements.map((measurement) => {
    const [column = '', row = '', matrix = ''] = measurement.what.split(': ').reverse();
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
      [[[name, matrix].filter(Boolean).join(': '), ...unit].join(', '), ...headings.map(({ heading }) => heading)],
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
  const compared = of.find(({ reference }) => reference);
  const withBar = of.find(({ bar }) => bar);
  return [
    columnOf(heading, ({ values, unit }) => (units.size === 1 ? spread(values) : `${spread(values)} ${unit}`)),
    ...(compared?.reference
      ? [
          columnOf(`${compared.reference.what}, ${compared.unit}`, ({ reference }) =>
            number(median(reference?.values ?? [])),
          ),
          columnOf('ratio', (measurement) => spread(ratios(measurement) ?? [])),
        ]
      : []),
    ...(withBar ? [columnOf(`met: ${targetOf(withBar)}`, (measurement) => verdictOf(meets(measurement)))] : []),
  ];
}

const machineOf = (circumstances: Circumstances | undefined): string | undefined =>
  circumstances && `${circumstances.machine}; Node.js ${circumstances.node}`;

const letter = (index: number): string => String.fromCharCode('A'.charCodeAt(0) + index);

function recordOf(circumstances: Circumstances | undefined, machines: string[]): string {
  const machine = machineOf(circumstances);
  if (!circumstances || !machine) return 'not yet';
  return `${letter(machines.indexOf(machine))}, ${circumstances.date}, ${circumstances.commit}`;
}
