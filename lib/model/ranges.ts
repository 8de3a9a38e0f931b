/** Consecutive whole numbers; both ends are inclusive. */
export interface NumberRange {
  from: number;
  to: number;
}

/** Yields the numbers from 1 to the highest, in ranges of up to `size`. */
export function* ranges(highest: number, size: number): Generator<NumberRange> {
  for (let from = 1; from <= highest; from += size) yield { from, to: Math.min(from + size - 1, highest) };
}

export const numbersOf = ({ from, to }: NumberRange): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
