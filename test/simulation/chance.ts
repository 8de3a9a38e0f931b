import { Random } from '../../tools/statistics/random.ts';

/** The only source of randomness. {@link seed} restarts it. */
export let random = new Random(0);

export function seed(value: number): void {
  random = new Random(value);
}
