import { median } from '../statistics/quantiles.ts';
import type { Measurement } from './figure.ts';

/** Each value over the reference's of the same run. */
export const ratios = ({ values, reference }: Measurement): number[] | undefined =>
  reference && values.map((value, run) => value / (reference.values[run] ?? Number.NaN));

/** Whether the bar is met; undefined where there is none. */
export function meets(measurement: Measurement): boolean | undefined {
  const { bar, values } = measurement;
  if (!bar) return undefined;
  const judged = median(ratios(measurement) ?? values);
  return 'atLeast' in bar ? judged >= bar.atLeast : judged <= bar.atMost;
}

/** Measures two things in turns, so that what else the machine does meets both alike; the first turn is ours. */
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
