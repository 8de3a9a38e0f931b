import { execFile } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { feedMutations, type Mutation, mutations } from './mutations.ts';

const project = path.resolve(import.meta.dirname, '../..');

/** The number of seeds in a normal run of the tests; `npm run simulate` runs 1,000. */
const seeds = 100;
/** From this seed on, every bug that followers notice is found within this number of seeds, and most in ten. */
const [firstSeedOfBugs, seedsPerBug] = [110, 100];

/** Runs a program of this folder. It only gets the processor time that other tests leave. */
function run(program: string, options: string[], preloaded: string[] = []) {
  const flags = preloaded.map((file) => `--import=./test/simulation/${file}`);
  const running = promisify(execFile)(process.execPath, [...flags, `test/simulation/${program}`, ...options], {
    cwd: project,
    // Compiled code is cached, because most of the time of a short run is its start.
    env: { ...process.env, NODE_COMPILE_CACHE: path.join(project, 'node_modules/.cache/compile') },
  });
  const { pid } = running.child;
  // Its threads start later, and inherit the priority.
  if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  return running;
}

/** Returns the output of `npm run simulate` with these options. */
async function simulate(...options: string[]): Promise<string> {
  const running = run('main.ts', options);
  // The command fails when a promise is broken. Its output says which.
  const { stdout } = await running.catch((error: { stdout: string }) => error);
  return stdout;
}

test(`a simulation of ${seeds} seeds breaks no promise of docs/guarantees.md`, async () => {
  const printed = await simulate('--seeds', String(seeds));
  expect(printed).toContain(': 0 seeds broke a promise');
  expect(printed).toMatch(new RegExp(`^${seeds} seeds from 1, `, 'm'));
  console.log(printed.trim().split('\n').at(-1));
});

test('a seed replays exactly', async () => {
  const once = await simulate('--seed', '42');
  expect(once).toMatch(/^digest [0-9a-f]{16}$/m);
  expect(await simulate('--seed', '42')).toBe(once);
});

/** Returns the output of a run with a planted bug. */
const planted = (mutation: Mutation, count: number) =>
  simulate(
    ...['--mutation', String(mutations.indexOf(mutation) + 1)],
    ...['--from', String(firstSeedOfBugs), '--seeds', String(count)],
  );

// `npm run simulate -- --mutations` also finds every bug.
test('every bug can be planted in a module that the simulation loads', async () => {
  const { stdout } = await run('main.ts', ['--seed', '1'], ['print-modules.ts']);
  for (const { name, file, export: replaced, plant } of mutations) {
    const url = pathToFileURL(path.join(project, file)).href;
    expect(stdout.split('\n'), name).toContain(url);
    const module: Record<string, unknown> = await import(url);
    const planted = plant(module as never);
    expect(typeof planted, name).toBe(typeof module[replaced]);
    expect(planted, name).not.toBe(module[replaced]);
  }
});

test.each(feedMutations)('a bug that followers notice is found: $name', async (mutation) => {
  expect(await planted(mutation, seedsPerBug)).toMatch(/^Seed \d+ breaks a promise:/m);
});

test('a chat that is offered 2,000 keyed creates a second accepts most of what DynamoDB allows, and is as fast as before afterwards', async () => {
  // `npm run simulate:hot-chat` runs for a whole minute, with 10,000 dead requests.
  const { stdout } = await run('hot-chat.ts', ['--seconds', '2', '--dead', '500']);
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
  const { stdout } = await run('hot-chat.ts', ['--seconds', '2', '--dead', '0', '--call-ms', '40']);
  const flood = [...stdout.matchAll(/"phase":"flood".*"keyed accepted":(\d+)/g)].map(([, accepted]) =>
    Number(accepted),
  );
  expect(flood).toHaveLength(2);
  expect(Math.min(...flood)).toBeGreaterThan(550);
});

test('a planted bug is found', async () => {
  expect(await simulate('--mutation', '1', '--seeds', '100')).toMatch(/^Seed \d+ breaks a promise:/m);
});
