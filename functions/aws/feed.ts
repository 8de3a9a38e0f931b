import * as z from 'zod/mini';
import type { Feed } from '../../lib/api/feed.ts';
import { channelOf, chatChannels, feedId } from '../../lib/feed/channels.ts';
import { provider } from './provider.ts';

/**
 * Tells clients to follow changes on the Event API of AppSync at FEED_URL (HTTP) and FEED_REALTIME_URL (WebSocket). Without
 * these, the feed is off.
 */
export const feed = provider({
  variables: { FEED_URL: z.optional(z.url()), FEED_REALTIME_URL: z.optional(z.url()) },
  create: ({ FEED_URL: http_url, FEED_REALTIME_URL: url }): Feed => ({
    origins: url ? [new URL(url).origin] : [],
    transports: async ({ token, credential, generation }) => {
      if (!http_url || !url) return [];
      const id = feedId(token, generation);
      const channels = { chat: chatChannels(id), application: channelOf(id, {}) };
      // AppSync compares the host with that of its HTTP endpoint, and hands the rest of the header to the authorizer.
      const authorization = { host: new URL(http_url).host, Authorization: credential };
      return [{ type: 'appsync-events', url, http_url, channels, authorization }];
    },
  }),
});
