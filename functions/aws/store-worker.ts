import type { Queue } from '../../lib/queue/queue.ts';
import { storeWorker as worker } from '../workers/store.ts';
import { backingOff } from './back-off.ts';

type Services = Parameters<typeof worker>[0] & { storeQueue: Pick<Queue, 'release'> };

/** The store worker behind its queue in SQS. */
export const storeWorker = (services: Services) => backingOff(worker(services), services.storeQueue);
