import { queueProvider } from './queues.ts';

/** The feed queue, which only stages with the feed have. */
export const feedQueue = queueProvider('feed');
