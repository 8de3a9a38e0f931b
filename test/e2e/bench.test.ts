import { expect, test } from 'vitest';
import { figures } from '../../bench/figures.ts';

// Whether the figures of the embedded engine can be measured; how fast it is, script/bench tells on a quiet machine.

const embedded = Object.entries(figures).filter(([name]) => name.startsWith('embedded-'));

test.each(embedded)('%s can be measured', async (_name, figure) => {
  const servers = () => Promise.reject(new Error('The embedded engine needs none'));
  const measurements = await figure.measure({ scale: 'smoke', say: () => undefined, servers });
  expect(measurements.length).toBeGreaterThan(0);
  for (const { values, reference } of measurements)
    for (const value of [...values, ...(reference?.values ?? [])]) expect(value).toBeGreaterThan(0);
});
