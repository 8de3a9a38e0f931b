import { median } from '../statistics/quantiles.ts';
import type { Measurement } from './figure.ts';

/** Returns each value divided by the value of the reference in the same run; undefined without a reference. */
export const ratios = ({ values, reference }: Measurement): number[] | undefined =>
  reference && values.map((value, run) => value / (reference.values[run] ?? Number.NaN));

/** Returns whether the measurement meets its bar; undefined without a bar. */
export function meets(measurement: Measurement): boolean | undefined {
  const { bar, values } = measurement;
  if (!bar) return undefined;
  const compared = median(ratios(measurement) ?? values);
  return 'atLeast' in bar ? compared >= bar.atLeast : compared <= bar.atMost;
}

/** Measures two things in turns, ours first, so that other load on the machine affects both equally. */
export async function inTurns<Result>(
  runs: number,
  ours: (run: number) => Promise<Result>,
  reference: (run: number) => Promise<Result>,
): Promise<{ ours: Result[]; reference: Result[] }> {
  const results = { ours: [] as Result[], reference: [] as Result[] };
  for (let run = 0; run < runs; run++) {
    results.ours.push(await ours(run));
    results.reference.push(await reference(run));
  }
  return results;
}
