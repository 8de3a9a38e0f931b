import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Problem } from '../lib/api/problems.ts';
import { limits } from '../lib/limits.ts';
import { type BodyRead, BodyReads } from './body-reads.ts';
import type { Connections } from './connections.ts';
import { applicationInQueue } from './fair-queue.ts';
import { LargeBodies } from './large-bodies.ts';

/**
 * When a request is refused without reading its body, a body of up to this many bytes is discarded and the connection
 * stays open: it is one read of the socket, so most of it has already arrived. A longer one closes the connection.
 */
const discardedBodyBytes = 65_536;
/**
 * A body of up to this many bytes is handled at once, and a larger one may wait (`LargeBodies`). If a small body
 * arrives in one chunk, it is not counted in `ClientMemory` either, because counting made a batch of 100 messages 5 %
 * slower.
 */
const smallBodyBytes = 16_384;
/**
 * A body whose size the client has not declared counts with this size in `BodyReads` until it was read: more than most
 * bodies have, and little enough that sixteen are read at a time.
 */
const guessedBytes = 250_000;
/** Maximum number of pieces in which a body is kept. A body of 1 MB usually arrives in 16 of them. */
const chunksAtOnce = 256;

/** A request whose body is to be read. */
interface Incoming {
  raw: IncomingMessage;
  response: ServerResponse;
  /** When the head was parsed, in milliseconds of `performance.now()`. */
  startedAt: number;
}

/** What is known of a body before it is read. */
interface Expected {
  /** See {@link declaredBytes}. */
  declared: number | undefined;
  /** How many bytes are read at most. */
  most: number;
  /** The token in the request, whether an application has it or not; '' if the request has none. */
  token: string;
}

/**
 * Handles a request with its body, and calls `done`, if there is one, when the response is made. The body can only be
 * used until it returns.
 */
type Handle = (body: Buffer, done?: () => void) => void;

/** Reads the bodies of requests: small ones at once, and large ones when there is memory for them. */
export class RequestBodies {
  readonly #connections: Connections;
  readonly #isKnown: (token: string) => boolean;
  readonly #refuse: (problem: Problem, socket: Socket) => void;
  /** Large bodies that wait until they are read, are read, or count until they are handled. */
  readonly #reads = new BodyReads();
  /** Large bodies that were read. */
  readonly #large: LargeBodies;

  /**
   * @param given.isKnown whether an application has this token
   * @param given.refuse sends a problem as the last response of a connection
   */
  constructor(
    connections: Connections,
    given: { isKnown: (token: string) => boolean; refuse: (problem: Problem, socket: Socket) => void },
  ) {
    this.#connections = connections;
    this.#isKnown = given.isKnown;
    this.#refuse = given.refuse;
    this.#large = new LargeBodies(connections.turns);
  }

  /** Reads a body and handles its request. Does not handle it when the client disconnected or was too slow. */
  read(incoming: Incoming, expected: Expected, handle: Handle): void {
    const { raw } = incoming;
    const bytes = raw.complete ? raw.readableLength : (expected.declared ?? Math.min(expected.most, guessedBytes));
    if (bytes <= smallBodyBytes) this.#readNow(incoming, expected, handle);
    else this.#readLarge(incoming, expected, bytes, handle);
  }

  #readLarge(incoming: Incoming, expected: Expected, bytes: number, handle: Handle): void {
    const { raw, response, startedAt: arrivedAt } = incoming;
    const { memory } = this.#connections;
    const application = applicationInQueue(expected.token, this.#isKnown);
    /** How many bytes of the body have arrived while it waits. */
    let early = 0;
    const begin = () => {
      const connection = this.#connections.of(raw.socket);
      if (connection) {
        connection.refuseBody = undefined;
        memory.release(connection, early, 0);
      }
      this.#readNow(incoming, expected, (body) => {
        if (body.length <= smallBodyBytes) {
          this.#reads.end(read);
          handle(body);
          return;
        }
        this.#reads.arrived(read, body.length);
        const handleAndEnd = (done: () => void) => {
          // The client disconnected when it was the request's turn.
          if (body.length === 0) {
            done();
            return;
          }
          handle(body, () => {
            this.#reads.end(read);
            done();
          });
          free(body);
        };
        const large = { application, arrivedAt, bytes: body.length, handle: handleAndEnd };
        this.#large.add(large);
        response.on('close', () => {
          this.#large.remove(large);
          free(body);
        });
      });
    };
    const read: BodyRead = { application, arrivedAt, bytes, begin };
    // Nobody needs the body of a request that has its response, or whose client disconnected.
    response.on('close', () => this.#reads.end(read));
    if (this.#reads.add(read)) return;
    early = raw.readableLength;
    const connection = this.#connections.of(raw.socket);
    if (connection) {
      connection.refuseBody = () => this.#refuse(tooManyBodies(), connection.socket);
      memory.keep(connection, early, early);
    }
    // The rest stays in the system's buffers, and in the client.
    if (!raw.complete) raw.socket.pause();
  }

  /**
   * Reads up to `most` bytes of a body. They count in `ClientMemory` until the response is complete, unless they are
   * few.
   *
   * @param done called with the body; not called when the client disconnected or was too slow
   */
  #readNow({ raw, response }: Incoming, { declared, most }: Expected, done: (body: Buffer) => void): void {
    if (expectsContinue(raw)) response.writeContinue();
    // Most bodies are small and arrive with their heads.
    if (raw.complete && declared !== undefined && declared <= smallBodyBytes) {
      done(raw.read());
      return;
    }
    const { memory } = this.#connections;
    const chunks: Buffer[] = [];
    let [bytes, kept, ended] = [0, 0, false];
    const end = (): Buffer => {
      ended = true;
      const [first] = chunks;
      const body = first && chunks.length === 1 ? first.subarray(0, most) : joined(chunks, Math.min(bytes, most));
      // Release the chunks, because the listeners refer to this array and live as long as the connection.
      chunks.length = 0;
      return body;
    };
    const drop = () => {
      ended = true;
      for (const chunk of chunks) free(chunk);
      chunks.length = 0;
    };
    const keep = (chunk: Buffer) => {
      const connection = this.#connections.of(raw.socket);
      if (!connection) return;
      if (kept === 0) {
        connection.refuseBody = () => {
          drop();
          this.#refuse(slowBody(), connection.socket);
        };
        response.on('close', () => {
          drop();
          memory.release(connection, kept);
        });
      }
      kept += chunk.length;
      memory.keep(connection, chunk.length, chunk.length);
    };
    raw.on('data', (chunk: Buffer) => {
      if (ended) return;
      // Otherwise a body in packets of one byte would take 200 times its size.
      if (chunks.length === chunksAtOnce) chunks.splice(0, chunksAtOnce, joined(chunks, bytes));
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= most) {
        raw.pause();
        finish();
        // A small body may arrive in one chunk, after its head. Its `data` event comes before `end`, so the declared
        // length shows that it is complete.
      } else if (bytes !== declared || bytes > smallBodyBytes) keep(chunk);
    });
    const finish = () => {
      if (ended) return;
      if (kept > 0) {
        const connection = this.#connections.of(raw.socket);
        if (connection) connection.refuseBody = undefined;
      }
      done(end());
    };
    raw.on('end', finish);
  }
}

/** Returns the first bytes of the chunks, and frees the chunks. */
function joined(chunks: Buffer[], bytes: number): Buffer {
  const whole = Buffer.concat(chunks, bytes);
  for (const chunk of chunks) free(chunk);
  return whole;
}

/**
 * Frees the memory of a buffer at once. V8 keeps a buffer that is used for longer than two collections of new objects
 * until it collects old objects, so bodies would take more than twice the memory.
 */
function free({ buffer, byteLength }: Buffer): void {
  // Small buffers share their memory. A buffer that was freed is empty.
  if (byteLength > 0 && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

const tooManyBodies = () =>
  new Problem(
    'unavailable',
    `The server has more large requests than it can read. Retry after ${limits.unavailableRetryAfterSeconds} s.`,
    { headers: { 'Retry-After': String(limits.unavailableRetryAfterSeconds) } },
  );
const slowBody = () => new Problem('request_timeout', 'The request body did not arrive in time. Send it again.');

/** Returns the size of the body in bytes as the head declares it: 0 without a body, undefined when it is chunked. */
export function declaredBytes({ headers }: IncomingMessage): number | undefined {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : undefined;
}

/** Returns whether the client waits for `100 Continue` before it sends its body. */
const expectsContinue = ({ headers, httpVersion }: IncomingMessage): boolean =>
  headers.expect !== undefined && httpVersion === '1.1' && /100-continue/i.test(headers.expect);

/**
 * Returns whether the client may still send more of a body than is worth discarding: more than
 * {@link discardedBodyBytes}, or a body that it sends only after `100 Continue`.
 */
export function leavesBodyUnread(request: IncomingMessage): boolean {
  if (request.complete) return false;
  const declared = declaredBytes(request) ?? Number.POSITIVE_INFINITY;
  return declared > discardedBodyBytes || (declared > 0 && expectsContinue(request));
}
