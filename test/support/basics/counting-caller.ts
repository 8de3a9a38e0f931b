import type { Caller } from '../../simulation/process.ts';

/** Makes every call, and counts them. */
export function countingCaller(): Caller & { readonly calls: number } {
  let calls = 0;
  return {
    task: 'test',
    call: async (_part, effect) => {
      calls++;
      return effect();
    },
    get calls() {
      return calls;
    },
  };
}
