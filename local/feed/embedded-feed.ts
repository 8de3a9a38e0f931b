import type { EventStream, Feed, StreamRequest, Transport } from '../../lib/api/feed.ts';
import { Problem } from '../../lib/api/problems.ts';
import { limits } from '../../lib/limits.ts';
import type { Hub } from './hub.ts';

/**
 * Maximum number of subscriptions: each chat or list that a stream follows is one. One takes some 0.5 kB.
 */
const maxSubscriptions = 200_000;

/** The feed of the embedded engine: server-sent events. */
export class EmbeddedFeed implements Feed {
  readonly origins = [];
  readonly #hub: Hub;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  async transports(): Promise<Transport[]> {
    // Relative to the URL of the response, so it is correct with any path prefix, and for a path with `self`.
    return [{ type: 'sse', url: 'feed' }];
  }

  /** @throws Problem unavailable when there are too many followers */
  stream(request: StreamRequest): EventStream {
    const { chats, application } = request.followed;
    if (this.#hub.subscriptions + chats.size + (application ? 1 : 0) > maxSubscriptions) throw tooManyFollowed();
    return { begin: (client) => void this.#hub.follow(request, client) };
  }
}

const tooManyFollowed = () =>
  new Problem(
    'unavailable',
    `Too many chats are followed at the moment. Retry after ${limits.unavailableRetryAfterSeconds} s.`,
    { headers: { 'Retry-After': String(limits.unavailableRetryAfterSeconds) } },
  );
