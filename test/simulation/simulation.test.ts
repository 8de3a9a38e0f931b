import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { mutations, planted } from './mutations.ts';

const project = path.resolve(import.meta.dirname, '../..');

/** What `npm run simulate` with these options prints. */
async function simulate(...options: string[]): Promise<string> {
  const run = promisify(execFile)(process.execPath, ['test/simulation/main.ts', ...options], { cwd: project });
  // A broken promise makes it fail; what it prints then says which.
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return stdout;
}

test('1,000 seeds break no promise', async () => {
  const said = await simulate('--seeds', '1000');
  expect(said).toMatch(/^1000 seeds from 1, .*: 0 seeds broke a promise/m);
  console.log(said.trim().split('\n').at(-1));
});

test('a seed replays exactly', async () => {
  const once = await simulate('--seed', '42');
  expect(once).toMatch(/^digest [0-9a-f]{16}$/m);
  expect(await simulate('--seed', '42')).toBe(once);
});

test.each(mutations)('the bug can be planted: $name', (mutation) => {
  const source = readFileSync(path.join(project, mutation.file), 'utf8');
  expect(planted(mutation, source)).not.toBe(source);
});

test('a chat flooded with keyed creates accepts at least 450 a second and is as fast as before afterwards', async () => {
  // 2,000 a second; the full size is `node test/simulation/hot-chat.ts`.
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['test/simulation/hot-chat.ts', '--seconds', '3', '--dead', '2000'],
    { cwd: project },
  );
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const totals = lines.pop();
  expect(totals).toEqual({ twice: 0, invalid: 0, failedUpkeep: 0 });
  for (const line of lines) {
    expect(line.units, 'write units of the chat’s item').toBe(1);
    const outcomes = Object.keys(line).filter((name) => / (?!accepted|too_many_requests)/.test(name));
    expect(outcomes).toEqual([]);
  }
  for (const flood of lines.filter(({ phase }) => phase === 'flood')) {
    expect(flood['keyed accepted']).toBeGreaterThan(450);
    expect(flood['keyless accepted']).toBeGreaterThan(100);
    expect(flood['beside accepted']).toBe(200);
  }
  for (const after of lines.filter(({ phase }) => phase !== 'flood'))
    expect((after['keyed accepted'] ?? 0) + (after['keyless accepted'] ?? 0)).toBeGreaterThan(850);
});

test('a planted bug is found', async () => {
  expect(await simulate('--mutation', '1', '--seeds', '100')).toMatch(/^Seed \d+ breaks a promise:/m);
});
