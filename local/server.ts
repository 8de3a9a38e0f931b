import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type HTTPMethods } from 'fastify';
import { fallback } from '../functions/api/fallback.ts';
import { type HeadJudge, headJudge, isJson } from '../functions/runtime/http/admission.ts';
import { type HttpResult, problemAnswer, sharedBody } from '../functions/runtime/http/answering.ts';
import type { HttpHandler } from '../functions/runtime/http/operation.ts';
import { events, log } from '../functions/runtime/observe/log.ts';
import { internalError, Problem } from '../lib/api/problems.ts';
import { methodsOf, type OperationId, type Route, routes } from '../lib/api/routes.ts';
import { limits } from '../lib/limits.ts';
import { type Connection, Connections } from './connections.ts';
import { proxyEvent, requestContext, stage } from './lambda-events.ts';
import { hostnameOf, isLoopback } from './loopback.ts';

/** A client has this long to send a whole request. */
const requestTimeoutMs = 30_000;
/** Node.js's own default, said here because the tests and the documentation name it. */
const headerBytes = 16_384;
/** An idle connection is kept this long: longer than proxies keep theirs (60 s), so that they are the ones to end it. */
const keepAliveMs = 72_000;
/** Connections get this long to finish what is in flight once the server is told to stop. */
const drainMs = 1_500;
/**
 * A body that nothing reads is discarded and its connection kept when the body has at most this many bytes: one read of
 * the socket, so it is mostly there already.
 */
const discardedBodyBytes = 65_536;
/** A body that is not larger and came whole is not counted: a batch of 100 would take 5 % longer, and is soon answered. */
const uncountedBodyBytes = 16_384;
/**
 * A longer answer, in characters or bytes, is written in pieces. Written so, the answer of a batch of 100 (19 kB) made the
 * batch take 7 % longer.
 */
const wholeAnswer = 131_072;
/**
 * Bytes of a piece. Writing one takes some 50 µs. A client that takes longer than 30 s for one is given up, so a page
 * arrives over any connection of 4.4 kB/s or more.
 */
const pieceBytes = 65_536;
/** What an answer's head takes, in bytes. */
const answerHeadBytes = 500;

type Handler = (request: FastifyRequest, reply: FastifyReply) => void;

/** Who can reach the server, as far as that changes what is allowed. */
export interface Access {
  /** Undefined where the registry of applications is open. */
  adminKey: string | undefined;
  /** Whether the server listens on a loopback address. */
  onLoopback: boolean;
}

/** Serves the operations on HTTP as API Gateway would: it makes proxy events, and knows nothing of what they are for. */
export function createServer(operations: Map<OperationId, HttpHandler>, access: Access): FastifyInstance {
  const connections = new Connections();

  /** Gives the connection of a socket its last answer. */
  const refuseConnection = (problem: Problem, socket: Socket): void => {
    const connection = connections.of(socket);
    if (!connection) {
      socket.destroy();
      return;
    }
    log.debug(events.connectionRefused, { code: problem.code });
    connections.endWith(connection, lastAnswer(problemAnswer(problem, randomUUID())));
  };

  const server = fastify({
    genReqId: () => randomUUID(),
    forceCloseConnections: 'idle',
    // While the server stops, what still comes in is served like any other request.
    return503OnClosing: false,
    serverFactory: (serve) => {
      const http = createHttpServer({
        maxHeaderSize: headerBytes,
        headersTimeout: requestTimeoutMs,
        requestTimeout: requestTimeoutMs,
        keepAliveTimeout: keepAliveMs,
        connectionsCheckingInterval: 5_000,
        // It is asked for below, where a missing one gets a problem answer.
        requireHostHeader: false,
      });
      connections.own(http, serve);
      http.on('connect', (_request: IncomingMessage, socket: Socket) => {
        // Node.js has let go of this socket: without a listener, a client that hangs up would end the process.
        socket.on('error', () => socket.destroy());
        refuseConnection(new Problem('route_not_found', 'This server opens no tunnels.'), socket);
      });
      // What is no HTTP request at all, or came too slowly or with too many headers.
      http.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
        if (error.code === 'ECONNRESET') socket.destroy();
        else refuseConnection(problemOfConnection(error.code), socket);
      });
      return http;
    },
    // Fastify would set it for one server only, but makes several for a name with several addresses.
    clientErrorHandler: () => undefined,
    routerOptions: { maxParamLength: headerBytes },
    frameworkErrors: (_error, request, reply) => send(request, reply, refusal(request, malformedRequest())),
  });

  server.addHook('onRequest', (request, reply, done) => {
    if (request.headers.host === undefined && request.raw.httpVersion !== '1.0')
      send(request, reply, refusal(request, malformedRequest()));
    else done();
  });
  server.addHook('preClose', async () => {
    // Connections that clients have made already wait in the system's queue, which closing would reset. The signal to
    // stop may have come before them in this turn.
    await nextTurn();
    await nextTurn();
    setTimeout(() => connections.destroyAll(), drainMs).unref();
  });
  // Bodies are read by the routes that take one, after the head is judged.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => done(null));

  /** Sends the answer. It is the connection's last one when the client still sends a body that nothing reads. */
  const send = (request: FastifyRequest, reply: FastifyReply, result: HttpResult): void => {
    const connection = connections.of(request.raw.socket);
    const { raw: response } = reply.hijack();
    if (!connection || connection.cutOff === request.raw) return;
    if (leavesBodyUnread(request)) {
      connections.endWith(connection, lastAnswer(result, request.method));
      return;
    }
    const { statusCode } = result;
    const headers = result.headers as Record<string, string>;
    const shared = result[sharedBody];
    const body = shared ?? result.body;
    const hasLength = statusCode !== 204 && statusCode !== 304;
    response.writeHead(statusCode, { ...headers, ...(hasLength && { 'content-length': Buffer.byteLength(body) }) });
    if (body.length > wholeAnswer && request.method !== 'HEAD') {
      sendInPieces(connection, response, shared ?? Buffer.from(result.body), shared !== undefined);
      return;
    }
    // Node.js leaves out the body of an answer to HEAD.
    response.end(body);
    // What the system has taken at once is not kept here.
    if (response.writableLength > 0) {
      const unread = body.length + answerHeadBytes;
      connections.memory.keep(connection, unread);
      response.on('close', () => connections.memory.release(connection, unread));
    }
  };

  /** @param isShared whether the bytes are held once for all answers; then they do not count for this connection */
  const sendInPieces = (connection: Connection, response: ServerResponse, body: Buffer, isShared: boolean): void => {
    let rest = body;
    const countOf = (bytes: number) => (isShared ? 0 : bytes);
    connections.memory.keep(connection, answerHeadBytes + countOf(rest.length));
    response.on('close', () => connections.memory.release(connection, answerHeadBytes + countOf(rest.length)));
    const next = () => {
      if (connection.socket.destroyed) return;
      if (rest.length <= pieceBytes) {
        response.end(rest);
        return;
      }
      response.write(rest.subarray(0, pieceBytes), (error) => {
        if (error) return;
        rest = rest.subarray(pieceBytes);
        connections.memory.release(connection, countOf(pieceBytes));
        connections.turns.continueLater(next);
      });
    };
    next();
  };

  /**
   * Reads a body up to so many bytes, which count until the request is answered.
   *
   * @param done gets the body; it is not called when the client went away or was too slow
   */
  const readBody = (request: FastifyRequest, reply: FastifyReply, most: number, done: (body: Buffer) => void): void => {
    const { raw: payload } = request;
    const chunks: Buffer[] = [];
    const declared = declaredBytes(request);
    let [bytes, kept, ended] = [0, 0, false];
    const end = (): Buffer => {
      ended = true;
      const [first] = chunks;
      const body = first && chunks.length === 1 ? first : Buffer.concat(chunks);
      // The request keeps its listeners as long as its connection lingers.
      chunks.length = 0;
      return body.subarray(0, most);
    };
    const keep = (chunk: Buffer) => {
      const connection = connections.of(payload.socket);
      if (!connection) return;
      if (kept === 0) {
        connection.refuseBody = () => {
          end();
          refuseConnection(slowBody(), connection.socket);
        };
        reply.raw.on('close', () => connections.memory.release(connection, kept));
      }
      kept += chunk.length;
      connections.memory.keep(connection, chunk.length, chunk.length);
    };
    payload.on('data', (chunk: Buffer) => {
      if (ended) return;
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= most) {
        payload.pause();
        settle();
        // Most bodies are small and come whole with their head. The parser hands them on before it says so.
      } else if (bytes !== declared || bytes > uncountedBodyBytes) keep(chunk);
    });
    const settle = () => {
      if (ended) return;
      if (kept > 0) {
        const connection = connections.of(payload.socket);
        if (connection) connection.refuseBody = undefined;
      }
      done(end());
    };
    payload.on('end', settle);
  };

  /** Calls the handler and sends what it returns. */
  const call = (
    handler: HttpHandler,
    resource: string,
    request: FastifyRequest,
    reply: FastifyReply,
    body?: Buffer,
  ): void => {
    handler(proxyEvent(request, resource, body), requestContext(resource, request.id))
      .then((result) => send(request, reply, result))
      .catch((error: Error) => fail(error, request, reply));
  };
  const fail = (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    log.error(events.failed, { request_id: request.id, error });
    send(request, reply, refusal(request, internalError()));
  };

  const fallbackHandler = fallback();
  const otherwise: Handler = (request, reply) => call(fallbackHandler, '/{proxy+}', request, reply);
  const invoke = (handler: HttpHandler, resource: string, route: Route): Handler => {
    const judge = route.admin || route.body ? judgeOf(route, access) : undefined;
    return (request, reply) => {
      // A path with nothing between two slashes is no route's.
      if (Object.values((request.params ?? {}) as Record<string, string>).includes('')) {
        otherwise(request, reply);
        return;
      }
      const declared = judge ? declaredBytes(request) : 0;
      try {
        judge?.(request.headers, declared ?? 0);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        send(request, reply, refusal(request, error));
        return;
      }
      if (!route.body || declared === 0) {
        call(handler, resource, request, reply);
        return;
      }
      if (expectsLeave(request)) reply.raw.writeContinue();
      // Chunks tell only by the first byte whether there is a body, and an empty one needs no content type.
      const most = isJson(request.headers['content-type']) ? limits.requestBytes + 1 : 1;
      readBody(request, reply, most, (body) => call(handler, resource, request, reply, body));
    };
  };
  const byPath = Map.groupBy(Object.entries(routes) as [OperationId, Route][], ([, { path }]) => path);
  for (const [path, ofPath] of byPath) {
    const url = `/${stage}${path.replace(/\{(\w+)\}/g, ':$1')}`;
    const unknown = new Set<string>(server.supportedMethods);
    for (const [id, route] of ofPath) {
      const method = methodsOf(route) as HTTPMethods[];
      const handler = invoke(operations.get(id) as HttpHandler, path, route);
      server.route({ method, url, handler, exposeHeadRoute: false, errorHandler: judgeUntyped(handler) });
      for (const known of method) unknown.delete(known);
    }
    server.route({
      method: [...unknown] as HTTPMethods[],
      url,
      handler: otherwise,
      errorHandler: judgeUntyped(otherwise),
    });
  }
  server.setNotFoundHandler(otherwise);
  server.setErrorHandler(judgeUntyped(otherwise));
  return server;

  /** Fastify refuses a content type that it cannot parse. The handler judges it, in the contract's order. */
  function judgeUntyped(handler: Handler) {
    return (error: Error & { code?: string }, request: FastifyRequest, reply: FastifyReply): void => {
      if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE' || error.code === 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE')
        handler(request, reply);
      else fail(error, request, reply);
    };
  }
}

/**
 * The judge of a route's heads. On a loopback address without an admin key, only this machine's own names may reach the
 * registry: a foreign name that resolves to this machine is a web page that rebinds its own (DNS rebinding), and to the
 * browser the page is then of the same origin.
 */
function judgeOf(route: Route, { adminKey, onLoopback }: Access): HeadJudge {
  const judge = headJudge(route, adminKey);
  if (!route.admin || adminKey || !onLoopback) return judge;
  return (headers, bodyBytes) => {
    const name = hostnameOf(String(headers.host ?? 'localhost'));
    if (name === undefined || !isLoopback(name))
      throw new Problem(
        'not_allowed',
        'Without an admin key, applications are created and listed under a name of this machine only: localhost or 127.0.0.1. Set ADMIN_KEY to allow other names.',
      );
    judge(headers, bodyBytes);
  };
}

const malformedRequest = () => new Problem('malformed_request', 'This is not a valid HTTP/1.1 request.');
const slowBody = () => new Problem('request_timeout', 'The request body did not arrive in time. Send it again.');

/** The answer to a request that no handler has seen. */
function refusal(request: FastifyRequest, problem: Problem): HttpResult {
  log.debug(events.answered, { request_id: request.id, status: problem.status, route: request.routeOptions?.url });
  return problemAnswer(problem, request.id);
}

/** Size of the body as its head declares it: 0 without one, undefined where it comes in chunks. */
function declaredBytes({ headers }: FastifyRequest): number | undefined {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : undefined;
}

/** Whether the client waits for leave to send its body. */
const expectsLeave = ({ headers, raw }: FastifyRequest): boolean =>
  headers.expect !== undefined && raw.httpVersion === '1.1' && /100-continue/i.test(headers.expect);

/** Whether a body is still on the way that nothing reads and that is more than what can be discarded in passing. */
function leavesBodyUnread(request: FastifyRequest): boolean {
  if (request.raw.complete) return false;
  const declared = declaredBytes(request) ?? Number.POSITIVE_INFINITY;
  return declared > discardedBodyBytes || (declared > 0 && expectsLeave(request));
}

/** The bytes of an answer after which the connection is closed. */
function lastAnswer(result: HttpResult, method?: string): Buffer {
  const { statusCode, headers } = result;
  const body = result[sharedBody] ?? result.body;
  const fields = {
    ...headers,
    date: new Date().toUTCString(),
    connection: 'close',
    'content-length': Buffer.byteLength(body),
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
