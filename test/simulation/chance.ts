import { Random } from '../../tools/statistics/random.ts';

/** The one source of chance, which {@link seed} begins anew. */
export let random = new Random(0);

export function seed(value: number): void {
  random = new Random(value);
}
