import type { Socket } from 'node:net';
import type { EventClient } from '../../lib/api/feed.ts';
import type { ClientMemory, TrackedConnection } from '../client-memory.ts';

/** Time after which an ended stream is closed when its client reads nothing, in milliseconds. */
const unreadMs = 30_000;

/**
 * The client of a stream, after the head of the response was sent. It writes directly to the socket: a response of
 * Node.js would copy each event, and the same bytes go to many clients. What the system does not take at once counts in
 * `ClientMemory`, which ends the connection when nothing leaves for 30 s.
 */
export class StreamClient implements EventClient {
  readonly #socket: Socket;
  readonly #memory: ClientMemory;
  readonly #connection: TrackedConnection;
  #counted = 0;
  #whenSent: (() => void) | undefined;

  constructor(socket: Socket, memory: ClientMemory, connection: TrackedConnection) {
    this.#socket = socket;
    this.#memory = memory;
    this.#connection = connection;
    // A client that closes its side has gone. Without this, a quiet stream would stay until the next heartbeat.
    socket.once('end', () => socket.destroy());
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  send(bytes: Buffer): void {
    if (!this.#socket.writable) return;
    this.#socket.write(bytes, this.#taken);
    if (this.#socket.writableLength > 0) this.#count();
  }

  onSent(listener: () => void): void {
    if (this.unsent === 0) queueMicrotask(listener);
    else this.#whenSent = listener;
  }

  end(bytes: Buffer): void {
    this.send(bytes);
    this.#socket.setTimeout(unreadMs, () => this.#socket.destroy());
    this.#socket.destroySoon();
  }

  onClosed(listener: () => void): void {
    if (this.#socket.destroyed) queueMicrotask(listener);
    else this.#socket.once('close', listener);
  }

  /** Counts the bytes that wait in this process. */
  #count(): void {
    const { unsent } = this;
    const change = unsent - this.#counted;
    this.#counted = unsent;
    if (change > 0) this.#memory.keep(this.#connection, change);
    else if (change < 0) this.#memory.release(this.#connection, -change);
  }

  readonly #taken = (): void => {
    if (this.#counted > 0) this.#count();
    if (!this.#whenSent || this.unsent > 0) return;
    const listener = this.#whenSent;
    this.#whenSent = undefined;
    listener();
  };
}
