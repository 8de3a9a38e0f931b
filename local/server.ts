import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import findMyWay from 'find-my-way';
import { fallback } from '../functions/api/fallback.ts';
import {
  adminKeyCheck,
  formatProblem,
  type HeadCheck,
  headCheck,
  type IncomingEvent,
} from '../functions/runtime/http/admission.ts';
import { type BearerCaller, bearerOf, callerOf, self, verifiedCaller } from '../functions/runtime/http/bearer.ts';
import type { HttpHandler } from '../functions/runtime/http/operation.ts';
import {
  eventStream,
  type HttpResult,
  problemFor,
  problemResponse,
  sharedBody,
} from '../functions/runtime/http/proxy-result.ts';
import { joinLines } from '../functions/runtime/http/request-headers.ts';
import { log, logEvents } from '../functions/runtime/observe/log.ts';
import type { Access } from '../lib/access/access.ts';
import type { EventStream } from '../lib/api/feed.ts';
import { commonHeaders, preflightHeaders, privateResponse } from '../lib/api/headers.ts';
import { internalError, Problem } from '../lib/api/problems.ts';
import { methodsOf, type OperationId, pathsOf, type Route, routes } from '../lib/api/routes.ts';
import { limits } from '../lib/limits.ts';
import { type Connection, Connections } from './connections.ts';
import { StreamClient } from './feed/stream-client.ts';
import { apiStage, type HostRequest, headerLinesOf, proxyEvent, requestContext } from './lambda-events.ts';
import { hostnameOf, isLoopback } from './loopback.ts';
import { type Metrics, metricsType } from './metrics.ts';
import { declaredBytes, leavesBodyUnread, RequestBodies } from './request-bodies.ts';
import type { Served, Traffic } from './traffic.ts';
import { isWellFormed } from './well-formed.ts';

/** Time that a client has to send a whole request, in milliseconds. */
const requestTimeoutMs = 30_000;
/**
 * Maximum size of the request line and headers, in bytes. It is Node.js's own default, set here because the tests and
 * the documentation name it.
 */
const headerBytes = 16_384;
/**
 * How long an idle connection is kept, in milliseconds: longer than proxies keep theirs (60 s), so that the proxy
 * closes it first.
 */
const keepAliveMs = 72_000;
/**
 * Maximum number of connections that wait to be accepted. When more arrive, Linux drops their packets, and their clients
 * repeat them only after 1 s, 2 s and so on. Linux limits it by `net.core.somaxconn`, which is 4,096 by default.
 */
const waitingConnections = 4_096;
/**
 * How long connections may take to finish the requests in progress after the server is told to stop, in milliseconds.
 */
const drainMs = 1_500;
/**
 * A response body that is longer than this, in characters or bytes, is written in pieces. Shorter ones are not, because
 * writing the response of a batch of 100 (19 kB) in pieces made the batch 7 % slower.
 */
const wholeResponse = 131_072;
/**
 * Size of a piece, in characters or bytes. Writing one takes some 50 µs. `ClientMemory` closes a connection that takes
 * longer than 30 s for a piece, or for a response of up to {@link wholeResponse}, so any response of ASCII characters
 * arrives at 4.4 kB/s or more.
 */
const pieceLength = 65_536;
/** Approximate size of a response's head, in bytes. */
const responseHeadBytes = 500;

/** A request, with its response and what is known of both. */
interface Exchange extends HostRequest {
  response: ServerResponse;
  /** When the head was parsed, in milliseconds of `performance.now()`. */
  startedAt: number;
  /** Which handler serves it. */
  served: Served;
}

type Headers = ReturnType<typeof headersOf>;
type Handler = (exchange: Exchange) => void;

/** The handlers of a path, by method, and the one of all other methods. */
interface Handlers {
  byMethod: Map<string, Handler>;
  other: Handler;
}

/** What the server needs to check a request before it reads the body. */
export interface RequestChecks {
  /** Undefined if none is set; then anyone may create and list applications. */
  adminKey: string | undefined;
  /** Whether the server listens on a loopback address. */
  onLoopback: boolean;
  /** Checks bearer tokens. */
  access: Access;
  /** Returns whether an application has this token. */
  isKnown(token: string): boolean;
}

/** The server of an engine. */
export interface Server {
  /** The port that it listens on. */
  readonly port: number;
  /** Resolves when the server listens. */
  listen(address: { port: number; host: string }): Promise<void>;
  /** Completes the requests in progress, and closes all connections. */
  close(): Promise<void>;
}

/** The counter of responses, and the renderer of the metrics. Without `metrics`, the path of the metrics gets 404. */
export interface Observers {
  traffic: Traffic;
  metrics?: Metrics;
}

/**
 * Serves the operations over HTTP as API Gateway does: it turns each request into a proxy event for the handler of its
 * route. It contains no logic of any operation.
 */
export function createServer(
  operations: Map<OperationId, HttpHandler>,
  checks: RequestChecks,
  { traffic, metrics }: Observers,
): Server {
  const connections = new Connections();
  const http = createHttpServer({
    maxHeaderSize: headerBytes,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: 5_000,
    // `isWellFormed` checks for it, because Node.js would not respond with a problem.
    requireHostHeader: false,
  });
  // A client may end its side of the connection once it has sent a request, as `nc -N` does. Without this setting, which
  // Node.js does not document, it would get no response unless that was ready at once.
  Object.assign(http, { httpAllowHalfOpen: true });
  /** While the server closes, each response asks the client to close its connection. */
  let closing = false;

  /** Sends a problem as the last response of a connection, and closes the connection. */
  const refuseConnection = (problem: Problem, socket: Socket): void => {
    const connection = connections.of(socket);
    if (!connection || connection.streaming) {
      socket.destroy();
      return;
    }
    log.debug(logEvents.connectionRefused, { code: problem.code });
    connections.endWith(connection, lastResponse(problemResponse(problem, randomUUID())));
  };
  const bodies = new RequestBodies(connections, { isKnown: checks.isKnown, refuse: refuseConnection });

  http.on('connect', (_request: IncomingMessage, socket: Socket) => {
    // Node.js has removed its listeners from this socket, so an error of the client's connection would end the process.
    socket.on('error', () => socket.destroy());
    refuseConnection(new Problem('route_not_found', 'This server opens no tunnels.'), socket);
  });
  // The bytes are not an HTTP request, or the request arrived too slowly or with too many headers.
  http.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
    if (error.code === 'ECONNRESET') socket.destroy();
    else refuseConnection(problemOfConnection(error.code), socket);
  });

  /** Counts and logs the response to a request. */
  const note = ({ served, raw, id: requestId, startedAt }: Exchange, status: number): void =>
    traffic.note({ served, method: raw.method ?? '', status, requestId, durationMs: performance.now() - startedAt });

  /** Sends the response. Closes the connection after it when the client is still sending a body that nothing reads. */
  const send = (exchange: Exchange, result: HttpResult): void => {
    const { raw: request, response } = exchange;
    const connection = connections.of(request.socket);
    if (!connection || connection.cutOff === request) return;
    if (!result[eventStream]) note(exchange, result.statusCode);
    if (leavesBodyUnread(request)) {
      connections.endWith(connection, lastResponse(result, request.method));
      return;
    }
    const stream = result[eventStream];
    if (stream) {
      sendStream(connection, exchange, { ...result, stream });
      return;
    }
    const { statusCode } = result;
    const headers = result.headers as Record<string, string>;
    const shared = result[sharedBody];
    const body = shared ?? bodyOf(result);
    if (closing) response.setHeader('connection', 'close');
    response.writeHead(statusCode, { ...headers, ...lengthOf(statusCode, body) });
    if (body.length > wholeResponse && request.method !== 'HEAD') {
      sendInPieces(connection, response, body, shared !== undefined);
      return;
    }
    // Node.js leaves out the body of a response to HEAD.
    response.end(body);
    // Bytes that the system has taken at once are not in our memory, so they do not count.
    if (response.writableLength > 0) {
      const unread = body.length + responseHeadBytes;
      connections.memory.keep(connection, unread);
      response.on('close', () => connections.memory.release(connection, unread));
    }
  };

  /** Sends the head of a stream, and begins the stream unless only the head was requested. */
  const sendStream = (
    connection: Connection,
    exchange: Exchange,
    result: HttpResult & { stream: EventStream },
  ): void => {
    const { socket } = connection;
    const { raw: request, response } = exchange;
    if (!response.socket && !socket.destroyed) {
      // Earlier requests of the connection have their responses first.
      response.once('socket', () => process.nextTick(sendStream, connection, exchange, result));
      return;
    }
    const headers = result.headers as Record<string, string>;
    if (request.method === 'HEAD') {
      note(exchange, result.statusCode);
      response.writeHead(result.statusCode, headers).end();
      return;
    }
    // Later requests of this connection are in progress, and their responses could not follow a stream.
    if (connection.started > 1) {
      socket.destroy();
      return;
    }
    if (!connections.stream(connection)) {
      const { statusCode, headers: refused, body } = refusal(exchange, tooManyStreams());
      note(exchange, statusCode);
      response
        .writeHead(statusCode, { ...(refused as Record<string, string>), ...lengthOf(statusCode, body) })
        .end(body);
      return;
    }
    response.once('close', () => {
      if (socket.destroyed) return;
      connections.releaseParser(connection);
      result.stream.begin(new StreamClient(connection, connections.memory));
    });
    // Without a length and without chunks, the stream ends with the connection. So all clients get the same bytes.
    response.useChunkedEncodingByDefault = false;
    note(exchange, result.statusCode);
    response.writeHead(result.statusCode, headers);
    // End the response after its head, so that the request, the response and what refers to them (6 kB) are freed when
    // the stream begins. Without the undocumented member `_last`, Node.js would then close the connection.
    Object.assign(response, { _last: false });
    response.end();
  };

  /** @param isShared whether the bytes are held once for all responses; then they do not count for this connection */
  const sendInPieces = (
    connection: Connection,
    response: ServerResponse,
    body: string | Buffer,
    isShared: boolean,
  ): void => {
    const countOf = (part: string | Buffer) => (isShared ? 0 : Buffer.byteLength(part));
    let kept = responseHeadBytes + countOf(body);
    connections.memory.keep(connection, kept);
    response.on('close', () => connections.memory.release(connection, kept));
    let sent = 0;
    const next = () => {
      if (connection.socket.destroyed) return;
      const piece = pieceOf(body, sent);
      sent += piece.length;
      if (sent === body.length) {
        response.end(piece);
        return;
      }
      response.write(piece, (error) => {
        if (error) return;
        const bytes = countOf(piece);
        kept -= bytes;
        connections.memory.release(connection, bytes);
        connections.turns.continueLater(next);
      });
    };
    next();
  };

  /**
   * Calls the handler and sends what it returns.
   *
   * @param given.done called after that
   */
  const call = (
    handler: HttpHandler,
    resource: string,
    exchange: Exchange,
    { body, caller, done }: { body?: Buffer; caller?: BearerCaller | undefined; done?: (() => void) | undefined } = {},
  ): void => {
    const event: IncomingEvent = proxyEvent(exchange, resource, body);
    if (caller) event[verifiedCaller] = caller;
    handler(event, requestContext(resource, exchange.id))
      .then((result) => send(exchange, result))
      .catch((error: Error) => fail(error, exchange))
      .finally(done);
  };
  const fail = (error: Error, exchange: Exchange): void => {
    log.error(logEvents.failed, { request_id: exchange.id, error });
    send(exchange, refusal(exchange, internalError()));
  };

  const fallbackHandler = fallback();
  const refusing =
    (resource: string): Handler =>
    (exchange) =>
      call(fallbackHandler, resource, exchange);
  const unknownPath = refusing('/{proxy+}');
  const invoke = (id: OperationId, resource: string, route: Route): Handler => {
    const handler = operations.get(id) as HttpHandler;
    const checkHead = route.admin || route.body ? headCheckOf(route, checks) : undefined;
    const admit = (
      exchange: Exchange,
      { headers, declared, caller }: { headers: Headers; declared: number | undefined; caller?: BearerCaller },
    ): void => {
      try {
        checkHead?.(headers, declared ?? 0);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        send(exchange, refusal(exchange, error));
        return;
      }
      if (!route.body || declared === 0) {
        call(handler, resource, exchange);
        return;
      }
      // A chunked body may be empty, and an empty body needs no content type. So if the format is wrong, read one byte
      // to find out whether there is a body to refuse.
      const most = declared === undefined && formatProblem(headers) ? 1 : limits.requestBytes + 1;
      const token = caller?.token ?? exchange.params.token ?? '';
      bodies.read(exchange, { declared, most, token }, (body, done) =>
        call(handler, resource, exchange, { body, caller, done }),
      );
    };
    return (exchange) => {
      const { raw, params } = exchange;
      // An empty path segment matches a parameter of the router, but not of the contract.
      for (const name in params)
        if (params[name] === '') {
          unknownPath(exchange);
          return;
        }
      exchange.served = id;
      const declared = checkHead ? declaredBytes(raw) : 0;
      const headers = headersOf(raw);
      // Check the bearer token before the body is read. Without a body, the handler does it.
      if (params.token !== self || !route.body || declared === 0) {
        admit(exchange, { headers, declared });
        return;
      }
      callerOf(headers, checks.access)
        .then(
          (caller) => admit(exchange, { headers, declared, caller }),
          (error: unknown) => send(exchange, refusal(exchange, problemFor(error, exchange.id))),
        )
        .catch((error: Error) => fail(error, exchange));
    };
  };

  const router = findMyWay({
    maxParamLength: headerBytes,
    // The proxy event has the query.
    querystringParser: () => ({}),
    // For a path that cannot be decoded, the router then returns a route without handlers. Without this function, it
    // would return null, as for an unknown path.
    onBadUrl: () => undefined,
  });
  /** Makes the server call a handler for each method of a path. The router knows paths only. */
  const serve = (path: string, handlers: Handlers): void => {
    router.on('GET', path, () => undefined, handlers);
  };
  const withPaths = (Object.entries(routes) as [OperationId, Route][]).flatMap(([id, route]) =>
    pathsOf(route).map((path) => ({ path, id, route })),
  );
  for (const [path, ofPath] of Map.groupBy(withPaths, (each) => each.path)) {
    const byMethod = new Map(
      ofPath.flatMap(({ id, route }) => {
        const handler = invoke(id, path, route);
        return methodsOf(route).map((method) => [method, handler] as const);
      }),
    );
    for (const url of urlsOf(path)) serve(url, { byMethod, other: refusing(path) });
  }
  if (metrics && checks.adminKey !== undefined) serveMetrics(checks.adminKey, metrics);
  const redirect: Handler = (exchange) => send(exchange, redirectToDocs(exchange.id));
  for (const url of ['/', '/docs'])
    serve(url, {
      byMethod: new Map([
        ['GET', redirect],
        ['HEAD', redirect],
      ]),
      other: unknownPath,
    });

  /** Finds the handler of a request, and calls it. */
  const route = (exchange: Exchange): void => {
    const { raw } = exchange;
    const { method = '', url = '' } = raw;
    if (!isWellFormed(raw)) {
      const { headers, ...refused } = refusal(exchange, malformedRequest());
      // The sender of such a head may disagree with us about where the request ends.
      send(exchange, { ...refused, headers: { ...headers, connection: 'close' } });
      return;
    }
    // `OPTIONS *` asks only whether the server responds (RFC 9110, section 9.3.7).
    if (url === '*') {
      send(exchange, emptyResponse(204, exchange.id));
      return;
    }
    const found = router.find('GET', url);
    if (!found) {
      unknownPath(exchange);
      return;
    }
    exchange.params = found.params as Record<string, string>;
    const handlers: Handlers | null = found.store;
    // A preflight of a path that cannot be decoded still succeeds. Otherwise a browser would hide the problem that the
    // request itself gets.
    if (handlers) (handlers.byMethod.get(method) ?? handlers.other)(exchange);
    else if (isPreflight(raw)) unknownPath(exchange);
    else send(exchange, refusal(exchange, malformedRequest()));
  };
  const dispatch = (raw: IncomingMessage, response: ServerResponse): void => {
    const startedAt = performance.now();
    const exchange: Exchange = { raw, response, id: randomUUID(), params: {}, startedAt, served: 'other' };
    try {
      route(exchange);
    } catch (error) {
      fail(error as Error, exchange);
    }
  };
  connections.attach(http, dispatch);

  return {
    get port() {
      return (http.address() as AddressInfo).port;
    },
    async listen({ port, host }) {
      http.listen({ port, host, backlog: waitingConnections });
      await once(http, 'listening');
    },
    async close() {
      closing = true;
      // Closing resets connections that wait in the system's queue. Wait two turns of the event loop, so that those
      // that arrived before the signal to stop are accepted first.
      await nextTurn();
      await nextTurn();
      setTimeout(() => connections.destroyAll(), drainMs).unref();
      connections.parseWaiting();
      const closed = once(http, 'close');
      http.close();
      await closed;
    },
  };

  /**
   * Serves the metrics to the holder of the admin key. They are not in the route table, because they describe this host
   * and not the API: AWS has CloudWatch for it.
   */
  function serveMetrics(adminKey: string, metrics: Metrics): void {
    const isAdmin = adminKeyCheck(adminKey);
    const allow = 'GET, HEAD, OPTIONS';
    const show: Handler = (exchange) => {
      exchange.served = 'metrics';
      if (!isAdmin(bearerOf(exchange.raw.headers) ?? '')) {
        send(exchange, refusal(exchange, metricsKeyRequired()));
        return;
      }
      metrics
        .render()
        .then((body) => send(exchange, metricsResponse(body, exchange.id)))
        .catch((error: Error) => fail(error, exchange));
    };
    const other: Handler = (exchange) => {
      exchange.served = 'metrics';
      if (exchange.raw.method === 'OPTIONS') {
        const headers = isPreflight(exchange.raw) ? preflightHeaders : {};
        send(exchange, emptyResponse(204, exchange.id, { allow, ...headers }));
        return;
      }
      const problem = new Problem('method_not_allowed', `Allowed methods: ${allow}.`, { headers: { allow } });
      send(exchange, refusal(exchange, problem));
    };
    for (const url of urlsOf('/metrics'))
      serve(url, {
        byMethod: new Map([
          ['GET', show],
          ['HEAD', show],
        ]),
        other,
      });
  }
}

/**
 * Returns the check of a route's request heads. On a loopback address without an admin key, applications may be created
 * and listed only under this machine's own names. Any other host name that resolves to this machine may belong to a web
 * page that uses DNS rebinding, and the browser then treats the page as the same origin.
 */
function headCheckOf(route: Route, { adminKey, onLoopback }: RequestChecks): HeadCheck {
  const checkHead = headCheck(route, adminKey);
  if (!route.admin || adminKey || !onLoopback) return checkHead;
  return (headers, bodyBytes) => {
    const name = hostnameOf(String(headers.host ?? 'localhost'));
    if (name === undefined || !isLoopback(name))
      throw new Problem(
        'not_allowed',
        'While no admin key is set, applications can be created and listed only with the host name localhost or 127.0.0.1. Use one of these, or set ADMIN_KEY to allow other names.',
      );
    checkHead(headers, bodyBytes);
  };
}

/** Returns the URLs of a path of the route table, in the syntax of the router. */
const urlsOf = (path: string): string[] =>
  path === '/' ? [`/${apiStage}`, `/${apiStage}/`] : [`/${apiStage}${path.replace(/\{(\w+)\}/g, ':$1')}`];

/**
 * Returns the response to a request for the API without its base path. The location is relative, so that it is correct
 * with any path prefix of a proxy.
 */
const redirectToDocs = (requestId: string): HttpResult =>
  emptyResponse(307, requestId, { location: `${apiStage}/docs` });

/** Returns a response without a body, for requests that the host itself responds to. */
const emptyResponse = (statusCode: number, requestId: string, headers: Record<string, string> = {}): HttpResult => ({
  statusCode,
  headers: { ...commonHeaders, ...privateResponse, ...headers, 'x-request-id': requestId },
  body: '',
});

const metricsResponse = (body: string, requestId: string): HttpResult => ({
  statusCode: 200,
  headers: { ...commonHeaders, ...privateResponse, 'content-type': metricsType, 'x-request-id': requestId },
  body,
});
const metricsKeyRequired = () =>
  new Problem('admin_key_required', 'Send the admin key as a bearer token: Authorization: Bearer <admin key>.', {
    headers: { 'www-authenticate': 'Bearer' },
  });

const malformedRequest = () => new Problem('malformed_request', 'This is not a valid HTTP/1.1 request.');
const tooManyStreams = () =>
  new Problem(
    'unavailable',
    `The server has as many streams as it can serve. Retry after ${limits.unavailableRetryAfterSeconds} s.`,
    { headers: { 'Retry-After': String(limits.unavailableRetryAfterSeconds) } },
  );

/** Returns the response to a request that is refused before its handler runs. */
const refusal = ({ id }: Exchange, problem: Problem): HttpResult => problemResponse(problem, id);

/** Returns the headers of a request, with the lines of repeated ones joined. */
const headersOf = (request: IncomingMessage) => joinLines(request.headers, headerLinesOf(request));

/** Returns whether a browser asks what a page of another origin may send (Fetch standard, CORS-preflight request). */
const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;

/** Returns the body of a result, decoded as API Gateway does it. */
const bodyOf = ({ body, isBase64Encoded }: HttpResult): string | Buffer =>
  isBase64Encoded ? Buffer.from(body, 'base64') : body;

/**
 * Returns the `Content-Length` of a response. A 204 must not have one. A 304 has none either, because it would have
 * to be the length of the body that a 200 would have had (RFC 9110, section 8.6).
 */
const lengthOf = (statusCode: number, body: string | Buffer): Record<string, number> =>
  statusCode === 204 || statusCode === 304 ? {} : { 'content-length': Buffer.byteLength(body) };

/**
 * Returns the next piece of a body. A text is not encoded as a whole, because that would need memory for all its bytes,
 * which V8 frees late. A piece does not end within a surrogate pair.
 */
function pieceOf(body: string | Buffer, from: number): string | Buffer {
  const end = Math.min(from + pieceLength, body.length);
  if (typeof body !== 'string') return body.subarray(from, end);
  const splitsPair = end < body.length && (body.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return body.slice(from, splitsPair ? end - 1 : end);
}

/** Returns the bytes of a response after which the connection is closed. */
function lastResponse(result: HttpResult, method?: string): Buffer {
  const { statusCode, headers } = result;
  const body = result[sharedBody] ?? bodyOf(result);
  const fields = {
    ...headers,
    date: new Date().toUTCString(),
    connection: 'close',
    ...lengthOf(statusCode, body),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\r\n${lines.join('')}\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(method === 'HEAD' ? '' : body)]);
}

function problemOfConnection(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem('headers_too_large', `The request line and headers have more than ${headerBytes} bytes.`);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Problem('request_timeout', `The request took longer than ${requestTimeoutMs / 1_000} s to arrive.`);
  return malformedRequest();
}
