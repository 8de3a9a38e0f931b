import { feed } from '../../functions/aws/feed.ts';
import type { AuthorizerEvent } from '../../functions/feed/authorizer.ts';
import { QueueAnnouncer } from '../../functions/feed/queue-announcer.ts';
import type { Announcer } from '../../functions/runtime/services.ts';
import type { Feed } from '../../lib/api/feed.ts';
import type { NotPublished, Publisher } from '../../lib/feed/publisher.ts';
import { Unavailable } from '../../lib/model/errors.ts';
import type { Outbox } from '../../lib/queue/queue.ts';
import { random } from './chance.ts';
import type { Faults } from './faults.ts';
import type { Process } from './process.ts';

/** The Event API that the client of the running simulation connects to. */
let running: SimulatedAppsync;

/** AppSync Events: what is published reaches the subscribers of its channel, late, twice, in another order or never. */
export class SimulatedAppsync {
  readonly feed = feed.create({
    FEED_URL: 'https://events.example/event',
    FEED_REALTIME_URL: 'wss://events.example/event/realtime',
  }) as Feed;
  readonly subscriptions = new Map<string, Set<SimulatedWebSocket>>();
  readonly faults: Faults;
  readonly isAuthorized: (event: AuthorizerEvent) => Promise<boolean>;

  constructor(faults: Faults, isAuthorized: (event: AuthorizerEvent) => Promise<boolean>) {
    this.faults = faults;
    this.isAuthorized = isAuthorized;
    running = this;
  }

  start(): void {}

  announcer(outbox: Outbox): Announcer {
    return new QueueAnnouncer(outbox);
  }

  publisher(process: Process): Publisher {
    return {
      publish: (channel, events) =>
        process.call(
          'appsync',
          () => events.flatMap((event, index) => this.#publish(channel, event, index)),
          (kind) => new Unavailable(new Error(kind)),
        ),
    };
  }

  #publish(channel: string, event: string, index: number): NotPublished[] {
    if (this.faults.chance(0.02)) return [{ index, reason: 'InternalFailure', final: false }];
    for (const socket of this.subscriptions.get(channel) ?? []) {
      if (this.faults.chance(0.1)) continue;
      for (let copies = this.faults.chance(0.1) ? 2 : 1; copies > 0; copies--) {
        const lateMs = this.faults.chance(0.1) ? random.between(100, 30_000) : random.between(5, 50);
        setTimeout(() => socket.receive({ type: 'data', event }), lateMs);
      }
      if (this.faults.chance(0.03)) socket.close();
    }
    return [];
  }
}

interface Message {
  type: string;
  id?: string;
  channel?: string;
  authorization?: Record<string, string>;
}

/** The server's end of a WebSocket, and the client's `WebSocket` at once. */
class SimulatedWebSocket {
  onopen: () => void = () => {};
  onmessage: (event: { data: string }) => void = () => {};
  onclose: (event: { code: number }) => void = () => {};
  readonly #appsync = running;
  readonly #channels = new Map<string, string>();
  #isClosed = false;

  constructor() {
    setTimeout(() => !this.#isClosed && this.onopen(), random.between(5, 50));
  }

  receive(message: object): void {
    if (!this.#isClosed) this.onmessage({ data: JSON.stringify(message) });
  }

  send(text: string): void {
    setTimeout(() => void this.#take(JSON.parse(text) as Message), random.between(5, 50));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const channel of this.#channels.values()) this.#appsync.subscriptions.get(channel)?.delete(this);
    setTimeout(() => this.onclose({ code: 1006 }), 1);
  }

  async #take({ type, id = '', channel = '', authorization = {} }: Message): Promise<void> {
    if (this.#isClosed) return;
    if (type === 'connection_init') return this.receive({ type: 'connection_ack', connectionTimeoutMs: 300_000 });
    const isAuthorized = await this.#appsync.isAuthorized({
      authorizationToken: authorization.Authorization ?? '',
      requestContext: { operation: 'EVENT_SUBSCRIBE', channel },
    });
    if (this.#isClosed) return;
    if (!isAuthorized) return this.receive({ type: 'subscribe_error', id, errors: [{ errorType: 'Unauthorized' }] });
    this.#channels.set(id, channel);
    const sockets = this.#appsync.subscriptions.get(channel) ?? new Set();
    this.#appsync.subscriptions.set(channel, sockets.add(this));
    this.receive({ type: 'subscribe_success', id });
  }
}

Object.assign(globalThis, { WebSocket: SimulatedWebSocket });
