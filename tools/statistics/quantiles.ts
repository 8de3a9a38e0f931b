/** Returns the median: the middle value, or the mean of the two middle values. @throws RangeError without values */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [below, above] = [sorted[(sorted.length - 1) >> 1], sorted[middle]];
  if (below === undefined || above === undefined) throw new RangeError('There is no median of no values');
  return (below + above) / 2;
}

/** Returns the smallest value that `percent` percent of the values do not exceed. @throws RangeError without values */
export function percentile(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(Math.ceil((sorted.length * percent) / 100) - 1, 0)];
  if (value === undefined) throw new RangeError('There is no percentile of no values');
  return value;
}
