import { defineConfig } from 'vitest/config';

const project = (name: string, testTimeout: number, globalSetup: string[] = []) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout, globalSetup },
});

export default defineConfig({
  test: {
    // Most of what the end-to-end tests do is waiting, so three at a time suit two cores.
    maxWorkers: 3,
    allowOnly: false,
    passWithNoTests: false,
    reporters: ['default', './test/support/totals-reporter.ts'],
    projects: [
      project('checks', 120_000),
      project('unit', 30_000),
      project('contract', 60_000),
      project('infra', 60_000),
      project('e2e', 170_000),
      project('aws', 170_000, ['./test/support/stack.ts']),
    ],
  },
});
