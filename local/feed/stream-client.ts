import type { Socket } from 'node:net';
import type { EventClient } from '../../lib/api/feed.ts';
import type { ClientMemory } from '../client-memory.ts';
import type { Connection } from '../connections.ts';

/** Time after which an ended stream is closed when its client reads nothing, in milliseconds. */
const unreadMs = 30_000;

const nothing = Buffer.alloc(0);

/**
 * The client of a stream, after the head of the response was sent. It writes directly to the socket: a response of
 * Node.js would copy each event, and the same bytes go to many clients. What the system does not take at once counts in
 * `ClientMemory`, which ends the connection when nothing leaves for 30 s.
 *
 * There may be thousands, so it creates functions only for clients that read slowly.
 */
export class StreamClient implements EventClient {
  readonly #connection: Connection;
  readonly #memory: ClientMemory;
  /** Bytes that count in `ClientMemory`. */
  #counted = 0;
  #whenSent: (() => void) | undefined;

  constructor(connection: Connection, memory: ClientMemory) {
    this.#connection = connection;
    this.#memory = memory;
  }

  get #socket(): Socket {
    return this.#connection.socket;
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  send(bytes: Buffer): void {
    const socket = this.#socket;
    if (!socket.writable) return;
    socket.write(bytes);
    if (socket.writableLength > 0) this.#watch();
  }

  onSent(listener: () => void): void {
    if (this.unsent === 0) queueMicrotask(listener);
    else this.#whenSent = listener;
  }

  end(bytes: Buffer): void {
    const socket = this.#socket;
    this.send(bytes);
    socket.setTimeout(unreadMs, () => socket.destroy());
    socket.destroySoon();
  }

  onClosed(listener: () => void): void {
    if (this.#socket.destroyed) queueMicrotask(listener);
    else this.#connection.onStreamClosed = listener;
  }

  /** Counts the unsent bytes now, and again when the operating system has taken them. */
  #watch(): void {
    this.#count();
    this.#socket.write(nothing, () => {
      this.#count();
      if (!this.#whenSent || this.unsent > 0) return;
      const listener = this.#whenSent;
      this.#whenSent = undefined;
      listener();
    });
  }

  #count(): void {
    const { unsent } = this;
    const change = unsent - this.#counted;
    this.#counted = unsent;
    if (change > 0) this.#memory.keep(this.#connection, change);
    else if (change < 0) this.#memory.release(this.#connection, -change);
  }
}
