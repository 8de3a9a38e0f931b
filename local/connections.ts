import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ClientMemory, type TrackedConnection } from './client-memory.ts';
import { HeapGrowth } from './heap-growth.ts';
import { Turns } from './turns.ts';

/**
 * Maximum number of requests of one connection that are in progress at a time. More than one, so that pipelined creates
 * share a sync of the disk; few, because each response may have 4 MB.
 */
const requestsAtOnce = 4;
/**
 * While fewer requests than this are in progress on all connections together and none waits, a request starts without a
 * check of the time that the turn of the event loop has left, because the check costs 5 µs a request.
 */
const uncheckedRequests = 100;
/** While a request waits, at most this many bytes of its body are read: as many as one read of the socket returns. */
const heldBodyBytes = 65_536;
/** Bytes that a waiting, parsed request takes without its headers and body, measured with 10,000 of them. */
const heldRequestBytes = 2_000;
/** Ends the head of every request; Node.js's parser accepts no other end. */
const headEnd = Buffer.from('\r\n\r\n');
/**
 * Fewest bytes of a body that are parsed at a time. A body can be full of what looks like ends of heads, and parsing a
 * megabyte of those one by one would take 0.3 s.
 */
const minBodyBytes = 1_024;
/** Maximum number of connections. An idle one takes some 8 kB, measured with 10,000 of them. */
const maxConnections = 16_000;
/**
 * Maximum number of connections that have a stream, and their maximum share of all. The others are left to requests.
 */
const maxStreams = 12_000;
const maxShareOfStreams = 0.75;
/** Descriptors left to the files of the data folder, to threads and to modules that are loaded late. */
const ownDescriptors = 128;
/**
 * After a refusal, up to this many bytes are read and discarded, because many clients read the response only after they
 * have sent the whole request. {@link lingerMs} limits the time.
 */
const discardedBytes = 16 * 1_048_576;
/** How long bytes are discarded after the response to a refused request was sent, in milliseconds. */
const lingerMs = 2_000;
/** Time after which a connection is closed when its client reads nothing of its last response, in milliseconds. */
const unreadMs = 30_000;

const noBytes = Buffer.alloc(0);

/** A request whose head is parsed, with its response. */
interface ParsedRequest {
  request: IncomingMessage;
  response: ServerResponse;
  /** Passes on what was parsed of the body; undefined unless the body is chunked. */
  passOnChunks?: () => void;
}

/** One client's connection, and all that the server keeps for it. */
class Connection implements TrackedConnection {
  readonly socket: Socket;
  /** Passes bytes from the socket to Node.js's HTTP parser. */
  readonly parse: (bytes: Buffer) => void;
  bytes = 0;
  since = 0;
  progressAt = 0;
  moved = 0;
  /** Whether it has sent a request. */
  hasSentRequest = false;
  /** The number of requests in progress: started, and without a complete response. */
  started = 0;
  /** Parsed requests that wait, either for a request in progress to end or for a later turn of the event loop. */
  readonly held: ParsedRequest[] = [];
  /** What was read from the socket and is not parsed yet. */
  unparsed: Buffer = noBytes;
  /** Whether reading from the socket is stopped, until what was read is parsed. */
  stopped = false;
  /**
   * Tells Node.js that the client has ended its side of the connection. Called when all bytes that were read are
   * parsed.
   */
  passOnEnd: (() => void) | undefined;
  /** Bytes that were read and discarded since `ending` or `streaming` was set. */
  discarded = 0;
  /** Whether a held request, or parsing, is scheduled for a later turn. */
  queued = false;
  /** The request that was parsed last, with its response. Only its body may still be arriving. */
  last: ParsedRequest | undefined;
  /**
   * Whether the connection closes after the response that `endWith` was given. No further request is parsed, and
   * further input is discarded.
   */
  ending = false;
  /** Whether the connection has a stream. No further request is parsed or started, and further input is discarded. */
  streaming = false;
  /** Called when the connection of a stream was closed. */
  onStreamClosed: (() => void) | undefined;
  /** The request whose body was still arriving when `ending` was set. What its handler returns is dropped. */
  cutOff: IncomingMessage | undefined;
  /** Refuses the request whose body is being read. */
  refuseBody: (() => void) | undefined;
  /** Called when a response has been sent or given up. */
  onResponded: (() => void) | undefined;

  constructor(socket: Socket, parse: (bytes: Buffer) => void) {
    this.socket = socket;
    this.parse = parse;
  }

  /** Whether the rest of a request's body is still to be parsed. */
  get hasBodyUnderWay(): boolean {
    return this.last?.request.complete === false;
  }

  /** How many more requests may be parsed now. */
  get freeSlots(): number {
    return requestsAtOnce - this.started - this.held.length;
  }

  end(): void {
    // Other requests in progress would get their responses first, and keep their memory until then.
    if (this.refuseBody && this.started === 1) this.refuseBody();
    else this.socket.destroy();
  }
}

export type { Connection };

/**
 * Owns every socket of a server until it is closed. It starts a few requests of each connection at a time, and limits
 * the memory of all connections together. When it refuses a request, it closes the connection in a way that lets the
 * client read the reason.
 */
export class Connections {
  readonly memory = new ClientMemory();
  readonly turns = new Turns();
  readonly #connections = new Map<Socket, Connection>();
  readonly #heapGrowth = new HeapGrowth();
  #inProgress = 0;
  /** The connection whose scheduled task runs now, so that its next request may start. */
  #scheduled: Connection | undefined;
  /** Requests that were started during the current call of `parse`. They are served when it returns. */
  readonly #parsed: ParsedRequest[] = [];
  #streams = 0;
  #serve: RequestListener = () => undefined;
  readonly #maxOpen = Math.min(maxConnections, descriptors() - ownDescriptors);

  /**
   * Takes over the server's connections and all its requests.
   *
   * @param serve called with each request when it may start. The request is parsed as far as it has arrived: most
   *   are complete
   */
  attach(server: Server, serve: RequestListener): void {
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

  /**
   * Makes a connection a stream, after which nothing else is sent on it. It is not closed as idle when there are too many
   * connections.
   *
   * @returns false, and does nothing, when there are too many streams
   */
  stream(connection: Connection): boolean {
    if (this.#streams >= Math.min(maxStreams, this.#maxOpen * maxShareOfStreams)) return false;
    connection.streaming = true;
    this.#streams++;
    return true;
  }

  /**
   * Frees what Node.js keeps of a connection for further requests, once the head of its stream was sent: the parser alone
   * takes 7 kB. Node.js does the same for a connection that is upgraded, but documents none of these members.
   */
  releaseParser({ socket }: Connection): void {
    // Node.js has set a timeout for the next request. Remove it.
    socket.setTimeout(0);
    const parsed = socket as { parser?: { remove(): void; close(): void } | null };
    parsed.parser?.remove();
    parsed.parser?.close();
    parsed.parser = null;
  }

  /** Parses what waits for a later turn, so that Node.js, when it closes idle connections, does not close these. */
  parseWaiting(): void {
    for (const connection of this.#connections.values()) this.#readOn(connection);
  }

  /** Ends every connection at once. */
  destroyAll(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  /**
   * Sends the bytes of a whole response as the last one, and closes the connection. Complete requests get their
   * responses before it. A request whose body is still arriving gets this response instead of its own. Whatever the
   * client sends from now on is discarded, up to `discardedBytes` and `lingerMs`. Closing at once could reset the
   * connection before the client has read the response (RFC 9112, section 9.6).
   */
  endWith(connection: Connection, response: Buffer): void {
    const { socket, held, last } = connection;
    if (connection.ending) return;
    connection.ending = true;
    const cutOff = last?.request.complete ? undefined : last;
    if (cutOff?.response.headersSent) {
      socket.destroySoon();
      return;
    }
    connection.cutOff = cutOff?.request;
    const isHeld = cutOff !== undefined && held.at(-1) === cutOff;
    if (isHeld) held.pop();
    // The response to a started request that is cut off is never sent, so do not wait for it.
    const startedCutOff = cutOff && !isHeld ? 1 : 0;
    const send = () => {
      if (held.length > 0 || connection.started > startedCutOff) return;
      connection.onResponded = undefined;
      if (!socket.writable) {
        socket.destroy();
        return;
      }
      this.memory.keep(connection, response.length);
      socket.setTimeout(unreadMs, () => socket.destroy());
      socket.end(response, () => this.#linger(connection));
      // Node.js may have paused the socket for a request or response that no longer matters. Read on, to discard.
      socket.resume();
      this.#readOn(connection);
    };
    connection.onResponded = send;
    send();
  }

  #linger(connection: Connection): void {
    this.memory.forget(connection);
    setTimeout(() => connection.socket.destroy(), lingerMs).unref();
  }

  #open(socket: Socket): void {
    if (this.#connections.size >= this.#maxOpen && !this.#closeIdle()) {
      socket.destroy();
      return;
    }
    const [parse] = socket.listeners('data') as [(bytes: Buffer) => void];
    // By default, Node.js's parser takes the bytes directly from the handle, bypassing the stream. A change of the `data`
    // listeners ends that. So remove the listener and add it again: all bytes then pass through `push`.
    socket.removeListener('data', parse);
    socket.on('data', parse);
    const connection = new Connection(socket, parse);
    const { push } = socket;
    socket.push = (bytes: Buffer | null) => {
      if (bytes) return this.#isToWait(connection) ? this.#keep(connection, bytes) : this.#take(connection, bytes);
      // A client that closes its side of a stream has gone. A quiet stream would stay until the next heartbeat.
      if (connection.streaming) socket.destroy();
      // Node.js would close the connection of a client that ends its side after a request that is not parsed yet.
      else if (connection.unparsed.length > 0) connection.passOnEnd = () => push.call(socket, null);
      else return push.call(socket, null);
      return false;
    };
    socket.on('resume', () => this.#readOn(connection));
    this.#connections.set(socket, connection);
    this.#heapGrowth.adaptTo(this.#connections.size - this.#streams);
    this.turns.shortenTurn();
    socket.on('close', () => {
      this.#connections.delete(socket);
      this.memory.forget(connection);
      connection.held.length = 0;
      if (connection.streaming) {
        this.#streams--;
        connection.onStreamClosed?.();
      }
      this.#heapGrowth.adaptTo(this.#connections.size - this.#streams);
    });
  }

  /**
   * Closes the oldest connection that has sent no request or, if there is none, the oldest one without an active
   * request. So a client that opens many connections and sends nothing cannot push out the others. Returns whether it
   * closed one.
   */
  #closeIdle(): boolean {
    let idle: Socket | undefined;
    for (const [socket, connection] of this.#connections) {
      const { hasSentRequest, started, held, unparsed, hasBodyUnderWay, streaming } = connection;
      if (streaming || started > 0 || held.length > 0 || unparsed.length > 0 || hasBodyUnderWay) continue;
      idle ??= socket;
      if (hasSentRequest) continue;
      idle = socket;
      break;
    }
    if (!idle) return false;
    this.#connections.delete(idle);
    idle.destroy();
    return true;
  }

  /** Returns whether a request that has just arrived has to wait for a later turn. */
  get #isBusy(): boolean {
    return this.turns.waiting > 0 || (this.#inProgress >= uncheckedRequests && this.turns.isUsedUp());
  }

  /**
   * Returns whether what was read from the socket is parsed in a later turn. A parsed request takes 5 kB, and often
   * outlives two garbage collections while it waits. Before it is parsed, it takes only about 300 bytes. A chunked body
   * waits too, because parsing what one read brings takes 20 ms if its chunks have one byte each.
   */
  #isToWait({ ending, streaming, hasBodyUnderWay, last, started, held, unparsed }: Connection): boolean {
    if (ending || streaming) return false;
    // What was read before is parsed before.
    if (unparsed.length > 0) return true;
    if (hasBodyUnderWay) return last?.passOnChunks !== undefined && this.turns.isUsedUp();
    return started === 0 && held.length === 0 && this.#isBusy;
  }

  /**
   * Keeps what was read from the socket until a later turn.
   *
   * @returns whether to read more from the socket now. Nearly every client sends no more until it has its response, so
   *   stopping would save nothing and cost two system calls
   */
  #keep(connection: Connection, bytes: Buffer): boolean {
    const { unparsed } = connection;
    const isFirst = unparsed.length === 0;
    connection.stopped = !isFirst;
    connection.unparsed = isFirst ? bytes : Buffer.concat([unparsed, bytes]);
    this.memory.keep(connection, connection.unparsed.buffer.byteLength - unparsed.buffer.byteLength, bytes.length);
    this.#queue(connection);
    return isFirst;
  }

  /**
   * Takes the bytes that were read from the socket.
   *
   * @returns whether to read more from the socket now
   */
  #take(connection: Connection, bytes: Buffer): boolean {
    if (connection.ending || connection.streaming) {
      connection.discarded += bytes.length;
      if (connection.discarded > discardedBytes) connection.socket.destroy();
      return true;
    }
    const rest = this.#parse(connection, bytes);
    const { socket, ending } = connection;
    const paused = socket.isPaused();
    connection.stopped = !ending && (rest.length > 0 || paused);
    if (connection.stopped && rest.length > 0 && !socket.destroyed) {
      connection.unparsed = rest;
      this.memory.keep(connection, rest.buffer.byteLength);
      if (!paused) this.#queue(connection);
    }
    return !connection.stopped;
  }

  /**
   * Parses at most as many requests as the connection may start and hold: one read can bring thousands, each of which
   * takes some 5 kB and 10 µs when it is parsed.
   *
   * @returns what is left
   */
  #parse(connection: Connection, bytes: Buffer): Buffer {
    const { socket, parse } = connection;
    let rest = bytes;
    // Node.js pauses the socket while the client does not read its responses, or the handler does not read a body.
    while (rest.length > 0 && !connection.ending && !connection.streaming && !socket.destroyed && !socket.isPaused()) {
      const { freeSlots, hasBodyUnderWay } = connection;
      if (freeSlots <= 0 && !hasBodyUnderWay) break;
      const end = Math.max(endOfHeads(rest, Math.max(freeSlots, 1)), hasBodyUnderWay ? minBodyBytes : 0);
      const isAll = end >= rest.length;
      parse(isAll ? rest : rest.subarray(0, end));
      connection.last?.passOnChunks?.();
      for (let next = this.#parsed.shift(); next; next = this.#parsed.shift()) this.#serve(next.request, next.response);
      if (isAll) return noBytes;
      rest = rest.subarray(end);
    }
    return rest;
  }

  /** Parses what was read before, and reads more when all of it is parsed. */
  #readOn(connection: Connection): void {
    const { socket, unparsed } = connection;
    if (socket.destroyed || (!connection.stopped && unparsed.length === 0)) return;
    if (unparsed.length > 0) {
      this.memory.release(connection, unparsed.buffer.byteLength, 0);
      connection.unparsed = noBytes;
    }
    if (!this.#take(connection, unparsed)) return;
    if (!connection.passOnEnd) {
      socket._read(0);
      return;
    }
    connection.passOnEnd();
    // Node.js calls `read(0)` after the end of its input, so that the stream emits `end`.
    socket.read(0);
  }

  #receive(parsed: ParsedRequest): void {
    const { request } = parsed;
    const connection = this.#connections.get(request.socket);
    if (!connection || connection.ending || request.socket.destroyed) return;
    connection.last = parsed;
    if (request.headers['transfer-encoding'] !== undefined) parsed.passOnChunks = joinChunks(request);
    connection.hasSentRequest = true;
    const mayStart = this.#scheduled === connection || !this.#isBusy;
    if (connection.started < requestsAtOnce && connection.held.length === 0 && mayStart) {
      this.#scheduled = undefined;
      this.#start(connection, parsed);
      this.#parsed.push(parsed);
      return;
    }
    connection.held.push(parsed);
    this.memory.keep(connection, heldBytes(request));
    this.#queue(connection);
  }

  /** Counts a request as started. */
  #start(connection: Connection, parsed: ParsedRequest): void {
    const { request, response } = parsed;
    connection.started++;
    this.#inProgress++;
    response.on('close', () => {
      connection.started--;
      this.#inProgress--;
      // An idle connection keeps nothing of its last request.
      if (connection.last === parsed && request.complete) connection.last = undefined;
      connection.onResponded?.();
      this.#queue(connection);
    });
  }

  /** Schedules the connection's next held request for a later turn or, when it holds none, the parsing of more. */
  #queue(connection: Connection): void {
    const { queued, held, unparsed, started, streaming } = connection;
    if (queued || streaming || started >= requestsAtOnce || (held.length === 0 && unparsed.length === 0)) return;
    connection.queued = true;
    const proceed = () => {
      connection.queued = false;
      if (connection.socket.destroyed || connection.streaming) return;
      const next = held.shift();
      if (!next) {
        this.#scheduled = connection;
        this.#readOn(connection);
        this.#scheduled = undefined;
        return;
      }
      this.memory.release(connection, heldBytes(next.request));
      this.#start(connection, next);
      this.#serve(next.request, next.response);
      this.#queue(connection);
    };
    // Otherwise, thousands of connections that send several requests at once would delay those that send one.
    if (started === 0) this.turns.startLater(proceed);
    else this.turns.continueLater(proceed);
  }
}

/**
 * Makes the chunks of a request's body arrive joined. Otherwise a body in chunks of one byte would take over 300 times
 * its size, because Node.js makes a buffer of each.
 *
 * @returns passes on the chunks that were parsed since the last call. They are also passed on when the body ends
 */
function joinChunks(request: IncomingMessage): () => void {
  const push = request.push.bind(request);
  const chunks: Buffer[] = [];
  const passOn = () => {
    if (chunks.length === 0) return;
    const joined = Buffer.concat(chunks);
    chunks.length = 0;
    // As Node.js does when it passes on a chunk.
    if (!push(joined)) request.socket.pause();
  };
  request.push = (chunk: Buffer | null) => {
    if (chunk) return chunks.push(chunk) > 0;
    passOn();
    return push(null);
  };
  return passOn;
}

/** Returns the offset after the given number of request heads; the length of the bytes when they contain fewer. */
function endOfHeads(bytes: Buffer, count: number): number {
  let end = 0;
  for (let found = 0; found < count; found++) {
    const at = bytes.indexOf(headEnd, end);
    if (at < 0) return bytes.length;
    end = at + headEnd.length;
  }
  return end;
}

function heldBytes({ rawHeaders, headers, url }: IncomingMessage): number {
  const declared = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : heldBodyBytes;
  const withoutHeaders = heldRequestBytes + (url?.length ?? 0) + Math.min(declared, heldBodyBytes);
  return rawHeaders.reduce((bytes, text) => bytes + text.length, withoutHeaders);
}

/** How many descriptors this process may have open; Node.js raises its own limit to the highest allowed. */
function descriptors(): number {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit ? Number(limit) : Number.POSITIVE_INFINITY;
  } catch {
    // Only Linux has this file. On other systems, opening a connection beyond the limit fails.
    return Number.POSITIVE_INFINITY;
  }
}
