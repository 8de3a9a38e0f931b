import { parentPort, workerData } from 'node:worker_threads';
import { plant } from './plant.ts';

// A thread that simulates some of the seeds, one after the other as they are asked for.

const { mutation } = workerData as { mutation?: number };
const isPlanted = mutation === undefined ? () => true : plant(mutation);

// Loaded after the bug is planted, because a module that was loaded before would not have the bug.
const { simulate } = await import('./simulate.ts');
if (!isPlanted()) throw new Error(`Nothing that is simulated loads the module of mutation ${mutation}`);
parentPort?.on('message', async (seed: number) => parentPort?.postMessage(await simulate(seed)));
