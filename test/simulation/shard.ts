import { registerHooks } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { type Mutation, planted } from './mutations.ts';

// A thread that simulates some of the seeds, one after the other as they are asked for.

const { mutation } = workerData as { mutation?: Mutation };

if (mutation) {
  const url = new URL(`../../${mutation.file}`, import.meta.url).href;
  registerHooks({
    load(loaded, context, nextLoad) {
      const result = nextLoad(loaded, context);
      return loaded === url ? { ...result, source: planted(mutation, String(result.source)) } : result;
    },
  });
}

// Only now: what is loaded has the bug in it.
const { simulate } = await import('./simulate.ts');
parentPort?.on('message', async (seed: number) => parentPort?.postMessage(await simulate(seed)));
