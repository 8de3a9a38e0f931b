import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { LongestFirst } from './test/support/runner/longest-first.ts';

const setupFiles = ['test/support/runner/seeded.ts', 'test/support/runner/real-timers.ts'];
/** In CI, fewer tests run at a time: its machine may be half as fast, and with three a test then waits longer than it may. */
const isCi = process.env.CI !== undefined;
/** The tests of the stack wait even more than others: for schedules, and for the emulator. One more runs the simulation. */
const stackWorkers = isCi ? 4 : 5;

const project = (
  name: string,
  testTimeout: number,
  more: TestProjectInlineConfiguration['test'] = {},
): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout, ...more },
});

export default defineConfig({
  test: {
    // Most of what the end-to-end tests do is waiting, so three at a time suit two cores.
    maxWorkers: isCi ? 2 : 3,
    sequence: { sequencer: LongestFirst },
    setupFiles,
    globalSetup: ['./test/support/runner/guard.ts'],
    // What is waited for comes at once; but a process that is asked may take long to start on a busy machine.
    expect: { poll: { timeout: 60_000 } },
    allowOnly: false,
    passWithNoTests: false,
    reporters: ['default', './test/support/runner/totals-reporter.ts'],
    projects: [
      project('checks', 120_000),
      // Loading modules takes longer than most tests: once for each worker, not for each file. That saves 19 of 46 s of
      // processor time. In e2e and aws it would save half a second for each file, but there, modules keep clients of
      // servers that other files have stopped.
      project('unit', 60_000, { isolate: false }),
      project('contract', 60_000, { isolate: false }),
      // Unit tests that start processes or take seconds. The quick run leaves them out.
      project('slow', 120_000),
      project('e2e', 170_000),
      // Beside the stack, whose tests wait more than they work. It has a low priority, so it does not slow them down.
      project('simulation', 600_000, { sequence: { groupOrder: 1 }, maxWorkers: stackWorkers }),
      // At the very end: its budget is a time, in which a busy machine would do little.
      project('fuzz', 170_000, { sequence: { groupOrder: 2 }, maxWorkers: 2 }),
      // Loading CDK takes seconds, so one or two workers load it. Beside the fuzz test, which leaves most of one core idle, and
      // with a low priority.
      project('infra', 120_000, {
        isolate: false,
        sequence: { groupOrder: 2 },
        maxWorkers: 2,
        setupFiles: [...setupFiles, 'test/support/runner/low-priority.ts'],
      }),
      // Counts on the stack come by the minute, and a test may wait for three of them.
      project('aws', 400_000, {
        // The API's tests once more, on what is deployed: both engines are to answer alike.
        include: ['test/aws/**/*.test.ts', 'test/e2e/api/*.test.ts'],
        globalSetup: ['./test/support/runner/guard.ts', './test/support/runner/stack.ts'],
        setupFiles: [...setupFiles, 'test/support/runner/stack-ready.ts'],
        maxWorkers: stackWorkers,
        // A request to the stack takes some 20 ms of processor time.
        expect: { poll: { timeout: 60_000, interval: 300 } },
        // After the others: the emulator and its functions need the machine. Meanwhile the stack starts.
        sequence: { groupOrder: 1 },
      }),
    ],
  },
});
