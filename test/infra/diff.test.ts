import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';

const script = path.resolve(import.meta.dirname, '../../script/diff');

test.for([
  [['--help'], 0, 'stdout'],
  [[], 2, 'stderr'],
  [['--stage'], 2, 'stderr'],
] as const)('script/diff %j prints its usage and exits with %i', ([args, status, stream]) => {
  const run = spawnSync(script, args, { encoding: 'utf8' });
  expect(run.status).toBe(status);
  expect(run[stream]).toMatch(/^Usage: script\/diff <commit> \[stage\]\n/);
});
