import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transport } from '../../../lib/api/feed.ts';

export type EventsTransport = Transport & { type: 'appsync-events' };

/** A message of the protocol (https://docs.aws.amazon.com/appsync/latest/eventapi/event-api-websocket-protocol.html). */
interface Message {
  type: string;
  id?: string;
  event?: string;
  errors?: { errorType: string; message?: string }[];
}

/** A client of the WebSocket protocol of AppSync Events. */
export class EventSocket {
  readonly #transport: EventsTransport;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, (message: Message) => void>();
  readonly #subscriptions = new Map<string, (event: string) => void>();
  readonly #closed: Promise<Message>;

  private constructor(transport: EventsTransport, socket: WebSocket) {
    this.#transport = transport;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#receive(JSON.parse(String(data))));
    this.#closed = once(socket, 'close').then(() => ({ type: 'closed' }));
  }

  /** Connects. @throws Error, whose message is the error type, when the connection is refused */
  static async connect(transport: EventsTransport): Promise<EventSocket> {
    const header = Buffer.from(JSON.stringify(transport.authorization)).toString('base64url');
    const socket = new WebSocket(transport.url, [`header-${header}`, 'aws-appsync-event-ws']);
    const connection = new EventSocket(transport, socket);
    const acknowledged = connection.#next('connection_ack', 'connection_error');
    // A connection that the server does not accept closes without having been open.
    await Promise.race([once(socket, 'open'), connection.#closed]);
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: 'connection_init' }));
    accepted(await acknowledged, 'connection_ack');
    return connection;
  }

  /** Subscribes to a channel. @throws Error, whose message is the error type, when the subscription is refused */
  async subscribe(channel: string, onEvent: (event: string) => void): Promise<void> {
    const id = crypto.randomUUID();
    const { authorization } = this.#transport;
    this.#subscriptions.set(id, onEvent);
    const answered = this.#next(id);
    this.#socket.send(JSON.stringify({ type: 'subscribe', id, channel, authorization }));
    accepted(await answered, 'subscribe_success');
  }

  /** Publishes, which no follower may. @throws Error, whose message is the error type, when the events are refused */
  async publish(channel: string, events: string[]): Promise<void> {
    const id = crypto.randomUUID();
    const { authorization } = this.#transport;
    const answered = this.#next(id);
    this.#socket.send(JSON.stringify({ type: 'publish', id, channel, events, authorization }));
    accepted(await answered, 'publish_success');
  }

  async close(): Promise<void> {
    this.#socket.close();
    // A busy emulator may not complete the closing handshake.
    await Promise.race([this.#closed, sleep(5_000)]);
  }

  /**
   * Resolves with the next message that has one of these names: its id or, if it has no id, its type. If the connection
   * closes first, resolves with a message of type `closed`.
   */
  #next(...names: string[]): Promise<Message> {
    const next = new Promise<Message>((resolve) => {
      for (const name of names) this.#waiting.set(name, resolve);
    });
    return Promise.race([next, this.#closed]);
  }

  #receive(message: Message): void {
    if (message.type === 'data') this.#subscriptions.get(message.id ?? '')?.(message.event ?? '');
    else this.#waiting.get(message.id ?? message.type)?.(message);
  }
}

function accepted({ type, errors }: Message, wanted: string): void {
  if (type !== wanted) throw new Error(errors?.[0]?.errorType ?? type);
}
