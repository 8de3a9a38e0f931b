import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { mutations } from './mutations.ts';

const project = path.resolve(import.meta.dirname, '../..');

/** Returns the output of `npm run simulate` with these options. */
async function simulate(...options: string[]): Promise<string> {
  const run = promisify(execFile)(process.execPath, ['test/simulation/main.ts', ...options], { cwd: project });
  // The command fails when a promise is broken. Its output says which.
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return stdout;
}

test('1,000 seeds break no promise', async () => {
  const printed = await simulate('--seeds', '1000');
  expect(printed).toMatch(/^1000 seeds from 1, .*: 0 seeds broke a promise/m);
  console.log(printed.trim().split('\n').at(-1));
});

test('a seed replays exactly', async () => {
  const once = await simulate('--seed', '42');
  expect(once).toMatch(/^digest [0-9a-f]{16}$/m);
  expect(await simulate('--seed', '42')).toBe(once);
});

test.each(mutations.map(({ name }, index) => [name, index] as const))(
  'the bug can be planted: %s',
  async (_name, index) => {
    // It fails where the module has no such export, and where nothing that is simulated loads the module.
    expect(await simulate('--mutation', String(index + 1), '--seeds', '1')).toMatch(/^1 seeds from 1, /m);
  },
);

test('a chat that is offered 2,000 keyed creates a second accepts most of what DynamoDB allows, and is as fast as before afterwards', async () => {
  // The whole minute, and 10,000 dead requests, are `npm run simulate:hot-chat`.
  const run = ['test/simulation/hot-chat.ts', '--seconds', '2', '--dead', '500'];
  const { stdout } = await promisify(execFile)(process.execPath, run, { cwd: project });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const linesOf = (phase: string) => lines.filter((line) => line.phase === phase);
  expect(lines[0].units.write).toBeLessThanOrEqual(4);
  for (const second of linesOf('flood')) {
    expect(second['keyed accepted']).toBeGreaterThan(700);
    expect(second['keyless accepted']).toBeGreaterThan(100);
    expect(second['beside accepted']).toBe(200);
    const outcomes = Object.keys(second).filter((key) => / /.test(key));
    expect(outcomes.filter((outcome) => !/ (accepted|Throttled)$/.test(outcome))).toEqual([]);
  }
  for (const { phase, second, units, ...outcomes } of [...linesOf('after the flood'), ...linesOf('after the dead')]) {
    expect(units).toBe(1);
    expect(Object.values(outcomes), `${phase}, second ${second}`).toEqual([expect.closeTo(900, -1)]);
  }
  expect(lines.at(-1)).toEqual({ phase: 'end', died: expect.any(Number), wrong: [], invalid: [] });
});

test('a chat that is offered too many keyed creates accepts most of them though each call takes 16 to 40 ms', async () => {
  const run = ['test/simulation/hot-chat.ts', '--seconds', '2', '--dead', '0', '--call-ms', '40'];
  const { stdout } = await promisify(execFile)(process.execPath, run, { cwd: project });
  const flood = [...stdout.matchAll(/"phase":"flood".*"keyed accepted":(\d+)/g)].map(([, accepted]) =>
    Number(accepted),
  );
  expect(flood).toHaveLength(2);
  expect(Math.min(...flood)).toBeGreaterThan(550);
});

test('a planted bug is found', async () => {
  expect(await simulate('--mutation', '1', '--seeds', '100')).toMatch(/^Seed \d+ breaks a promise:/m);
});
