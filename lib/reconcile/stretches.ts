import { limits } from '../limits.ts';

/** The numbers from 1 to the highest, in stretches that are compared at a time; both ends are inclusive. */
export function* stretches(highest: number): Generator<{ from: number; to: number }> {
  for (let from = 1; from <= highest; from += limits.numbersCompared)
    yield { from, to: Math.min(from + limits.numbersCompared - 1, highest) };
}
