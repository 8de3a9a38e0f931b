import type { Reporter, SerializedError, TestModule, Vitest } from 'vitest/node';

/** Prints the totals at the end, and fails a run in which a test was skipped. */
export default class TotalsReporter implements Reporter {
  #chosenByName = false;

  onInit({ config }: Vitest): void {
    this.#chosenByName = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    let [passed, failed] = [0, errors.length];
    const leftOut: string[] = [];
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failed++;
        else leftOut.push(`${module.relativeModuleId}: ${test.fullName}`);
      }
    }
    // A skipped test proves nothing, so it fails the run, unless tests were selected by name.
    if (this.#chosenByName) leftOut.length = 0;
    for (const name of leftOut) console.log(`left out: ${name}`);
    failed += leftOut.length;
    if (failed > 0 || passed === 0) process.exitCode = 1;
    console.log(`${passed} passed, ${failed} failed`);
  }
}
