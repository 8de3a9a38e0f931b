import type { Feed } from '../../lib/api/feed.ts';
import { provider } from './provider.ts';

/** The feed of the AWS engine, which is off. */
export const feed = provider({
  variables: {},
  create: (): Feed => ({ transports: async () => [] }),
});
