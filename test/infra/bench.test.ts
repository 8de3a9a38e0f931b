import { expect, test } from 'vitest';
import type { Figure } from '../../bench/figure.ts';
import { functionCpu } from '../../bench/figures/function-cpu.ts';
import { functionStart } from '../../bench/figures/function-start.ts';

test.each<[string, Figure, number]>([
  ['the processor time of a create', functionCpu, 1],
  ['the start of a function', functionStart, 4],
])('%s is measured, beside that of a bare handler', async (_, { measure }, count) => {
  const servers = () => Promise.reject(new Error('A function needs no servers to be measured'));
  const measurements = await measure({ scale: 'smoke', say: () => undefined, servers });
  expect(measurements).toHaveLength(count);
  expect(measurements[0]?.reference?.values.length).toBe(measurements[0]?.values.length);
  for (const { values, reference } of measurements)
    for (const value of [...values, ...(reference?.values ?? [])]) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThan(Number.POSITIVE_INFINITY);
    }
});
