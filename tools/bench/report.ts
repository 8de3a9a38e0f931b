import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { project } from '../cli/project.ts';
import type { Figure } from './figure.ts';
import type { Circumstances } from './machine.ts';
import type { Result } from './results.ts';
import { cellsOf, columns } from './table.ts';

const file = path.join(project, 'docs/benchmarks.md');
const [begin, end] = ['<!-- what follows is written by script/bench -->', '<!-- up to here -->'];

/** Writes the figures between the markers of docs/benchmarks.md. The rest of that page is written by hand. */
export function writeReport(figures: Record<string, Figure>, results: Record<string, Result>): void {
  const document = readFileSync(file, 'utf8');
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} lacks the markers of the figures: ${begin} … ${end}`);
  const sections = Object.entries(figures).flatMap(([name, figure]) => {
    const result = results[name];
    return result ? [sectionOf(name, figure, result)] : [];
  });
  writeFileSync(file, `${document.slice(0, from)}${begin}\n\n${sections.join('\n\n')}\n\n${document.slice(to)}`);
}

const sectionOf = (name: string, { title, about }: Figure, { circumstances, measurements }: Result): string =>
  [
    `### ${title}`,
    about.replace(/\s+/g, ' '),
    table([columns, columns.map(() => '---'), ...measurements.map(cellsOf)]),
    `\`script/bench ${name}\` — ${circumstancesOf(circumstances)}`,
  ].join('\n\n');

const table = (rows: string[][]): string => rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const circumstancesOf = ({ date, commit, machine, node }: Circumstances): string =>
  `${date}, commit ${commit}; ${machine}; Node.js ${node}`;
