import { perQueue, type QueueName, queueNames, workerName } from '../functions/queues.ts';
import type { WorkerServices } from '../functions/runtime/services.ts';
import type { BatchHandler } from '../functions/runtime/worker.ts';

type MakeWorker = (services: WorkerServices) => BatchHandler;

/** Loads the factories of the workers of all queues. */
export async function loadWorkers(): Promise<Record<QueueName, MakeWorker>> {
  const loaded = new Map<QueueName, MakeWorker>();
  for (const name of queueNames) {
    const module: Record<string, MakeWorker> = await import(`../functions/workers/${name}.ts`);
    const make = module[workerName(name)];
    if (!make) throw new Error(`functions/workers/${name}.ts has no ${workerName(name)}`);
    loaded.set(name, make);
  }
  return Object.fromEntries(loaded) as Record<QueueName, MakeWorker>;
}

/** Loads the workers of all queues and creates them with these services. */
export async function makeWorkers(services: WorkerServices): Promise<Record<QueueName, BatchHandler>> {
  const workers = await loadWorkers();
  return perQueue((name) => workers[name](services));
}
