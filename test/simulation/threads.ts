import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Outcome } from './simulate.ts';

/**
 * Simulates the seeds on this number of threads.
 *
 * @param onOutcome called with each outcome; `false` ends the run
 * @param mutation the index of a bug to plant
 */
export async function simulateAll(
  seeds: Iterator<number>,
  threads: number,
  onOutcome: (outcome: Outcome) => boolean,
  mutation?: number,
): Promise<void> {
  let goesOn = true;
  const lane = async () => {
    const worker = new Worker(new URL('./shard.ts', import.meta.url), { workerData: { mutation } });
    // An error of the thread is thrown here: `once` rejects with it.
    for (let next = seeds.next(); goesOn && !next.done; next = seeds.next()) {
      worker.postMessage(next.value);
      const [outcome] = (await once(worker, 'message')) as [Outcome];
      goesOn &&= onOutcome(outcome);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: threads }, lane));
}

export function* range(first: number, last: number): Generator<number> {
  for (let seed = first; seed <= last; seed++) yield seed;
}
