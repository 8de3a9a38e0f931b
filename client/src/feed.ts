import { canConnectAppsync, connectAppsync } from './appsync.ts';
import type { ChatSystemError } from './error.ts';
import type { Source } from './follower.ts';
import type { components } from './openapi.ts';
import type { Requests } from './requests.ts';
import type { ReadPage, Versioned } from './sequence.ts';
import { connectSse } from './sse.ts';
import { sleep } from './time.ts';
import { application, type Connection } from './wire.ts';

const self = '/applications/self';
/** The number of changes on a page: the API's maximum, so that a follower needs few requests to read what it missed. */
const pageSize = 1_000;
/** The time between two reads where there is no feed, in milliseconds. It doubles while nothing changes. */
const pollMs = { first: 1_000, longest: 10_000 };
/** How long the client polls before it asks again whether there is a feed, in milliseconds. */
const pollingMs = 300_000;

/** The API as the source of a follower. */
export class Feed implements Source {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Retries temporary failures without a time limit. */
  read(
    chat: number,
    from: { after?: number; cursor?: string },
    signal: AbortSignal | undefined,
  ): Promise<ReadPage<Versioned>> {
    const path = chat === application ? `${self}/changes` : `${self}/chats/${chat}/changes`;
    const query = from.after === undefined ? {} : { ...from, limit: pageSize };
    return this.#requests.send('GET', path, { query }, { signal, retryMs: Number.POSITIVE_INFINITY });
  }

  async connect(positions: Map<number, number>, signal: AbortSignal | undefined): Promise<Connection> {
    const path = `${self}/feed`;
    const headers = { accept: 'application/json' };
    const token = await this.#requests.token(signal);
    const feed = await this.#requests.send<components['schemas']['Feed']>(
      'GET',
      path,
      { headers },
      { signal, retryMs: 0 },
    );
    const opening = { positions, heartbeatSeconds: feed.heartbeat_seconds, signal };
    for (const transport of feed.transports) {
      if (transport.type === 'sse')
        return connectSse(this.#requests, new URL(transport.url, this.#requests.base + path), opening);
      if (transport.type === 'appsync-events' && canConnectAppsync()) {
        const connection = await connectAppsync(transport, opening);
        // When access tokens are ended, the application gets other channels, but AppSync keeps the connection open.
        const next = (ms: number) =>
          this.#requests.isCurrent(token) ? connection.next(ms) : Promise.resolve({ type: 'reconnect' as const });
        return { ...connection, next };
      }
    }
    return polling(signal);
  }

  renews(error: ChatSystemError): boolean {
    return this.#requests.renews(error);
  }
}

/** A connection that delivers nothing, so that the follower reads everything. */
function polling(signal: AbortSignal | undefined): Connection {
  const asksAgainAt = performance.now() + pollingMs;
  return {
    isOrdered: false,
    silenceMs: Number.POSITIVE_INFINITY,
    checkMs: pollMs,
    close: () => {},
    async next(ms) {
      if (performance.now() > asksAgainAt) return { type: 'reconnect' };
      await sleep(ms, signal);
      return undefined;
    },
  };
}
