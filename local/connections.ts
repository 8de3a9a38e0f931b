import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ClientMemory, type Holder } from './client-memory.ts';
import { Turns } from './turns.ts';

/**
 * Requests of one connection that are worked on at a time. Several, so that pipelined creates share a sync of the disk;
 * few, because each may have an answer of 4 MB.
 */
const requestsInHand = 4;
/** Below this many requests in hand of all connections together, none waits for its turn: counting turns costs 5 µs each. */
const freelyInHand = 100;
/** What of a waiting request's body has been read is at most one read of the socket. */
const heldBodyBytes = 65_536;
/** Bytes that a waiting, parsed request takes without its headers and body, measured with 10,000 of them. */
const heldRequestBytes = 2_000;
/** Most connections. An idle one takes some 8 kB, measured with 10,000 of them. */
const mostConnections = 16_000;
/** Descriptors left to the files of the data folder, to threads and to modules that are loaded late. */
const ownDescriptors = 128;
/** After a refusal, up to this many bytes are read and discarded, so that a client that sends to the end can read the answer. */
const discardedBytes = 16 * 1_048_576;
/** … for at most this long after the answer has been sent, in milliseconds. */
const lingerMs = 2_000;
/** An answer that nobody reads for this long is given up, in milliseconds. */
const unreadMs = 30_000;

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** One client's connection, and all that the server keeps for it. */
class Connection implements Holder {
  readonly socket: Socket;
  bytes = 0;
  since = 0;
  progressAt = 0;
  moved = 0;
  /** Requests that are worked on: started, and not answered to the end. */
  started = 0;
  /** Parsed requests that wait until fewer are in hand. */
  readonly held: Exchange[] = [];
  /** Whether a held request is scheduled for a later turn. */
  queued = false;
  /** The request that was parsed last, with its answer. Only this one's body may still be on the way. */
  last: Exchange | undefined;
  /** Whether the last answer is chosen. No further request is started, and further input is discarded. */
  ending = false;
  /** The unfinished request that the last answer is for; what its handler returns is dropped. */
  cutOff: IncomingMessage | undefined;
  /** Refuses the request whose body is being read. */
  refuseBody: (() => void) | undefined;
  /** Called when an answer has been sent or given up. */
  onAnswered: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  end(): void {
    if (this.refuseBody) this.refuseBody();
    else this.socket.destroy();
  }
}

export type { Connection };

/**
 * Owns every socket of a server, from its first byte until it is closed: starts a few requests of each connection at a
 * time, keeps what all of them hold bounded, and ends what is refused so that the client can read why.
 */
export class Connections {
  readonly memory = new ClientMemory();
  readonly turns = new Turns();
  readonly #connections = new Map<Socket, Connection>();
  #inHand = 0;
  #serve: RequestListener = () => undefined;
  readonly #most = Math.min(mostConnections, descriptors() - ownDescriptors);

  /**
   * Takes the server's connections and all its requests.
   *
   * @param serve is called with each request when its turn has come
   */
  own(server: Server, serve: RequestListener): void {
    this.#serve = serve;
    server.on('connection', (socket: Socket) => this.#open(socket));
    const receive: RequestListener = (request, response) => this.#receive({ request, response });
    server.on('request', receive);
    // `100 Continue` is sent where the body is read. Unknown values of `Expect` are ignored, which does no harm.
    server.on('checkContinue', receive);
    server.on('checkExpectation', receive);
  }

  of(socket: Socket): Connection | undefined {
    return this.#connections.get(socket);
  }

  /** Ends every connection at once. */
  destroyAll(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  /**
   * Makes `answer` the connection's last one: it is sent when all whole requests before it are answered, in place of an
   * answer to the request whose body is still on the way. What the client sends from now on is discarded for a while and
   * within bounds, so that it can read the answer (RFC 9112, section 9.6); then the connection is closed.
   */
  endWith(connection: Connection, answer: Buffer): void {
    const { socket, held, last } = connection;
    if (connection.ending) return;
    connection.ending = true;
    const cutOff = last?.request.complete ? undefined : last;
    if (cutOff?.response.headersSent) {
      socket.destroySoon();
      return;
    }
    connection.cutOff = cutOff?.request;
    // What comes is parsed as long as the socket is read, and nobody would answer it.
    socket.pause();
    const isHeld = cutOff !== undefined && held.at(-1) === cutOff;
    if (isHeld) held.pop();
    const before = cutOff && !isHeld ? 1 : 0;
    const send = () => {
      if (held.length > 0 || connection.started > before) return;
      connection.onAnswered = undefined;
      if (!socket.writable) {
        socket.destroy();
        return;
      }
      this.memory.keep(connection, answer.length);
      socket.setTimeout(unreadMs, () => socket.destroy());
      socket.end(answer, () => this.#linger(connection));
      this.#discard(connection);
    };
    connection.onAnswered = send;
    send();
  }

  /** Reads what still comes, up to a bound, and keeps nothing of it. */
  #discard({ socket }: Connection): void {
    const discard = () => {
      let bytes = 0;
      // Node.js's parser, where the socket still has one: it would pause the socket, or complain of what comes.
      socket.removeAllListeners('data');
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > discardedBytes) socket.destroy();
      });
    };
    // Only Node.js's listener starts a paused socket of its parser again, and it is gone once somebody else reads.
    if (socket.isPaused()) socket.once('resume', discard);
    else discard();
    socket.resume();
  }

  #linger(connection: Connection): void {
    this.memory.forget(connection);
    setTimeout(() => connection.socket.destroy(), lingerMs).unref();
  }

  #open(socket: Socket): void {
    if (this.#connections.size >= this.#most && !this.#endIdle()) {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket);
    this.#connections.set(socket, connection);
    socket.on('close', () => {
      this.#connections.delete(socket);
      this.memory.forget(connection);
      connection.held.length = 0;
    });
  }

  /** Closes the oldest connection without an active request. */
  #endIdle(): boolean {
    for (const [socket, { started, held, last }] of this.#connections) {
      if (started > 0 || held.length > 0 || last?.request.complete === false) continue;
      this.#connections.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  #receive(exchange: Exchange): void {
    const { request } = exchange;
    const connection = this.#connections.get(request.socket);
    if (!connection || connection.ending || request.socket.destroyed) return;
    connection.last = exchange;
    const hasTime = this.#inHand < freelyInHand || !this.turns.isUsedUp();
    if (connection.started < requestsInHand && connection.held.length === 0 && hasTime) {
      this.#start(connection, exchange);
      return;
    }
    connection.held.push(exchange);
    // Bytes that have been read are parsed to their end; more of them can wait in the socket.
    request.socket.pause();
    this.memory.keep(connection, heldBytes(request));
    this.#queue(connection);
  }

  #start(connection: Connection, exchange: Exchange): void {
    const { request, response } = exchange;
    connection.started++;
    this.#inHand++;
    response.on('close', () => {
      connection.started--;
      this.#inHand--;
      // An idle connection keeps nothing of its last request.
      if (connection.last === exchange && request.complete) connection.last = undefined;
      connection.onAnswered?.();
      this.#queue(connection);
    });
    this.#serve(request, response);
  }

  /** Gives the connection's next held request its place among the work of later turns. */
  #queue(connection: Connection): void {
    if (connection.queued || connection.held.length === 0 || connection.started >= requestsInHand) return;
    connection.queued = true;
    this.turns.later(() => {
      connection.queued = false;
      const next = connection.held.shift();
      if (!next || connection.socket.destroyed) return;
      this.memory.release(connection, heldBytes(next.request));
      if (connection.held.length === 0 && !connection.ending) connection.socket.resume();
      this.#start(connection, next);
      this.#queue(connection);
    });
  }
}

function heldBytes({ rawHeaders, headers, url }: IncomingMessage): number {
  const declared = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : heldBodyBytes;
  const around = heldRequestBytes + (url?.length ?? 0) + Math.min(declared, heldBodyBytes);
  return rawHeaders.reduce((bytes, text) => bytes + text.length, around);
}

/** How many descriptors this process may have open; Node.js raises its own limit to the highest allowed. */
function descriptors(): number {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit ? Number(limit) : Number.POSITIVE_INFINITY;
  } catch {
    // Only Linux tells; elsewhere the system refuses what is too much.
    return Number.POSITIVE_INFINITY;
  }
}
