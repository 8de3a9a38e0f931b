import { expect } from 'vitest';
import type { Answer, Problem } from './client.ts';

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void>> {
    /**
     * Expects that the response is this problem; with pointers, a `validation_failed` that names exactly these, in any
     * order. The client has already checked its form against the contract.
     */
    toBeProblem(status: number, code: string, ...pointers: string[]): R;
  }
}

expect.extend({
  toBeProblem(answer: Answer, status: number, code: string, ...pointers: string[]) {
    const problem = answer.body as Partial<Problem>;
    const actual = {
      status: answer.status,
      code: problem.code,
      ...(pointers.length > 0 && { pointers: problem.errors?.map(({ pointer }) => pointer).sort() }),
    };
    const expected = { status, code, ...(pointers.length > 0 && { pointers: pointers.sort() }) };
    return {
      pass: this.equals(actual, expected),
      message: () => `expected ${this.utils.stringify(expected)}, got ${this.utils.stringify(answer.body)}`,
      actual,
      expected,
    };
  },
});
