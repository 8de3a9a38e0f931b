import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { meets, ratios } from '../../tools/bench/ratios.ts';
import { withReport } from '../../tools/bench/report.ts';
import { readResults } from '../../tools/bench/results.ts';
import { median, percentile } from '../../tools/statistics/quantiles.ts';
import { expectMeasurable, figuresAlone } from '../support/basics/figures.ts';

// Tests only whether figures can be measured. script/bench measures the performance itself on a quiet machine.

// A figure fails if a request is refused, as a busy server does with one that waited too long. Then it is measured again.
test.each(figuresAlone)('the figure %s can be measured', { retry: 2 }, (name) =>
  expectMeasurable(name, () => Promise.reject(new Error('It needs no servers'))),
);

const project = path.resolve(import.meta.dirname, '../..');

test('docs/benchmarks.md shows the recorded results; script/bench --record cost writes it again', () => {
  const document = readFileSync(path.join(project, 'docs/benchmarks.md'), 'utf8');
  expect(withReport(document, readResults())).toBe(document);
});

test('a measurement leaves the checkout as it is unless it is recorded', async () => {
  const read = () =>
    ['docs/benchmarks.md', 'tools/bench/results.json'].map((file) => readFileSync(path.join(project, file), 'utf8'));
  const before = read();
  const main = path.join(project, 'tools/bench/main.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'cost']);
  expect(stdout).toMatch(/single creates: all; [\d.]+ .* a million/);
  expect(read()).toEqual(before);
});

test('a figure is compared with its bar by the median of the ratios where there is a reference, and of the values where there is none', () => {
  const measured = { what: '', unit: '', values: [10, 30, 20] };
  const reference = { what: '', values: [10, 20, 40] };
  expect([median(measured.values), median([1, 2]), percentile([5, 1, 4, 2, 3], 80)]).toEqual([20, 1.5, 4]);
  expect(ratios({ ...measured, reference })).toEqual([1, 1.5, 0.5]);
  expect(meets(measured)).toBeUndefined();
  expect([20, 20.1].map((atLeast) => meets({ ...measured, bar: { atLeast } }))).toEqual([true, false]);
  expect([1, 0.9].map((atMost) => meets({ ...measured, reference, bar: { atMost } }))).toEqual([true, false]);
});
