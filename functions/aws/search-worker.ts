import type { Queue } from '../../lib/queue/queue.ts';
import { searchWorker as worker } from '../workers/search.ts';
import { backingOff } from './back-off.ts';

type Services = Parameters<typeof worker>[0] & { searchQueue: Pick<Queue, 'release'> };

/** The search worker behind its queue in SQS. */
export const searchWorker = (services: Services) => backingOff(worker(services), services.searchQueue);
