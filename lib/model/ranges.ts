/** Whole numbers in a row; both ends are inclusive. */
export interface Stretch {
  from: number;
  to: number;
}

/** The numbers from 1 to the highest, in stretches of up to `size`. */
export function* stretches(highest: number, size: number): Generator<Stretch> {
  for (let from = 1; from <= highest; from += size) yield { from, to: Math.min(from + size - 1, highest) };
}

export const numbersOf = ({ from, to }: Stretch): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
