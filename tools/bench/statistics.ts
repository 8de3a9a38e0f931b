import type { Measurement } from './figure.ts';

/** The value in the middle; the mean of the two in the middle of an even number. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [below, above] = [sorted[(sorted.length - 1) >> 1], sorted[middle]];
  if (below === undefined || above === undefined) throw new RangeError('There is no median of nothing');
  return (below + above) / 2;
}

/** The value that so many percent of all are not above. */
export function percentile(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(Math.ceil((sorted.length * percent) / 100) - 1, 0)];
  if (value === undefined) throw new RangeError('There is no percentile of nothing');
  return value;
}

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
