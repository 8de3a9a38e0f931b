import * as z from 'zod/mini';
import { AppsyncPublisher } from '../../lib/feed/appsync/appsync-publisher.ts';
import { provider } from './provider.ts';

/** Publishes to the Event API at FEED_URL, with requests that are signed with the function's role. */
export const publisher = provider({
  variables: {
    FEED_URL: z.url(),
    // Lambda sets these.
    AWS_REGION: z.optional(z.string()),
    AWS_ACCESS_KEY_ID: z.optional(z.string()),
    AWS_SECRET_ACCESS_KEY: z.optional(z.string()),
    AWS_SESSION_TOKEN: z.optional(z.string()),
  },
  create: ({ FEED_URL, AWS_REGION = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_SESSION_TOKEN }) =>
    new AppsyncPublisher({
      url: FEED_URL,
      region: AWS_REGION,
      credentials: {
        accessKeyId: AWS_ACCESS_KEY_ID,
        secretAccessKey: AWS_SECRET_ACCESS_KEY,
        sessionToken: AWS_SESSION_TOKEN,
      },
    }),
});
