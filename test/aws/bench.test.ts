import { expect, inject, test } from 'vitest';
import { setLogLevel } from '../../functions/runtime/log.ts';
import { figures } from '../../bench/figures.ts';

setLogLevel('silent');

test.each([
  'store-worker',
  'search-worker',
  'search-latency-opensearch',
  'page-depth-mysql',
  'roll-up-mysql',
])('the figure %s can be measured', async (name) => {
  const { mysqlUrl, opensearchUrl } = inject('stack');
  const measurements = await figures[name]?.measure({
    scale: 'smoke',
    say: () => undefined,
    servers: async () => ({ mysqlUrl, opensearchUrl }),
  });
  const values = measurements?.flatMap(({ values, reference }) => [...values, ...(reference?.values ?? [])]) ?? [];
  expect(values.length).toBeGreaterThan(0);
  expect(values.filter((value) => !(Number.isFinite(value) && value > 0))).toEqual([]);
});
