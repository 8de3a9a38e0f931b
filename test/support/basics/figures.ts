import { expect } from 'vitest';
import type { Servers } from '../../../tools/bench/figure.ts';
import { figures } from '../../../tools/bench/figures.ts';
import { readResults } from '../../../tools/bench/results.ts';

/** The figures that are measured on the servers of the stack. */
export const figuresOnServers = [
  'function-reads',
  'store-worker',
  'search-worker',
  'search-latency-opensearch',
  'page-depth-mysql',
  'roll-up-mysql',
  'migration-mysql',
];

/** All other figures. */
export const figuresAlone = Object.keys(figures).filter((name) => !figuresOnServers.includes(name));

/** Measures at the smallest scale, and expects plausible values. */
export async function expectMeasurable(name: string, servers: () => Promise<Servers>): Promise<void> {
  const measurements = await figures[name]?.measure({
    scale: 'smoke',
    say: () => undefined,
    servers,
    results: readResults,
  });
  expect(measurements?.length).toBeGreaterThan(0);
  for (const { what, unit, values, reference } of measurements ?? []) {
    // Memory for each of something is a difference, and the process may have freed more in the meantime.
    const isDifference = unit === 'kB';
    const all = [...values, ...(reference?.values ?? [])];
    expect.soft(values.length, what).toBeGreaterThan(0);
    expect.soft(reference?.values.length ?? values.length, what).toBe(values.length);
    expect
      .soft(
        all.filter((value) => !(Number.isFinite(value) && (value > 0 || isDifference))),
        what,
      )
      .toEqual([]);
  }
}
