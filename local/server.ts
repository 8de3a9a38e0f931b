import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type HTTPMethods } from 'fastify';
import { fallback } from '../functions/api/fallback.ts';
import { problemAnswer, sharedBody } from '../functions/runtime/answering.ts';
import type { HttpHandler } from '../functions/runtime/http.ts';
import { events, log } from '../functions/runtime/log.ts';
import { Problem } from '../lib/api/problems.ts';
import { methodsOf, type OperationId, type Route, routes } from '../lib/api/routes.ts';
import { limits } from '../lib/limits.ts';
import { proxyEvent, requestContext, stage } from './lambda-events.ts';

/** A client has this long to send a whole request. */
const requestTimeoutMs = 30_000;
/** Node.js's own default, said here because the tests and the documentation name it. */
const headerBytes = 16_384;

/** Serves the operations on HTTP as API Gateway would: it makes proxy events, and knows nothing of what they are for. */
export function createServer(operations: Map<OperationId, HttpHandler>): FastifyInstance {
  const server = fastify({
    genReqId: () => randomUUID(),
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: 'idle',
    // While the server stops, what still comes in is served like any other request.
    return503OnClosing: false,
    http: {
      maxHeaderSize: headerBytes,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: 5_000,
      // It is asked for below, where a missing one gets a problem answer.
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: headerBytes },
    clientErrorHandler: (error, socket) => void refuseConnection(error, socket as Socket),
    frameworkErrors: (_error, request, reply) => refuse(request, reply, malformedRequest()),
  });

  server.server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    // Node.js has let go of this socket: without a listener, a client that hangs up would end the process.
    socket.on('error', () => socket.destroy());
    void refuseConnection(notATunnel(), socket);
  });
  // Node.js would answer an expectation that it does not know by itself; there is no harm in not meeting it.
  server.server.on('checkExpectation', (request, response) => server.server.emit('request', request, response));
  server.addHook('onRequest', (request, reply, done) => {
    lastExchange.set(request.raw.socket, { request: request.raw, response: reply.raw });
    if (request.headers.host === undefined && request.raw.httpVersion !== '1.0')
      refuse(request, reply, malformedRequest());
    else done();
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, payload, done) => readBody(payload, done));

  const fallbackHandler = fallback();
  const invoke = (handler: HttpHandler, resource: string) => async (request: FastifyRequest, reply: FastifyReply) => {
    // A path with nothing between two slashes is no route's.
    const params = Object.values((request.params ?? {}) as Record<string, string>);
    if (handler !== fallbackHandler && params.includes('')) return otherwise(request, reply);
    const result = await handler(proxyEvent(request, resource), requestContext(resource, request.id));
    return reply
      .code(result.statusCode)
      .headers(result.headers as Record<string, string>)
      .send(result[sharedBody] ?? (result.body || undefined));
  };
  const otherwise = invoke(fallbackHandler, '/{proxy+}');

  const byPath = Map.groupBy(Object.entries(routes) as [OperationId, Route][], ([, { path }]) => path);
  for (const [path, ofPath] of byPath) {
    const url = `/${stage}${path.replace(/\{(\w+)\}/g, ':$1')}`;
    const unknown = new Set<string>(server.supportedMethods);
    for (const [id, route] of ofPath) {
      const method = methodsOf(route) as HTTPMethods[];
      const handler = invoke(operations.get(id) as HttpHandler, path);
      server.route({ method, url, handler, exposeHeadRoute: false, errorHandler: judgeUnread(handler) });
      for (const known of method) unknown.delete(known);
    }
    server.route({
      method: [...unknown] as HTTPMethods[],
      url,
      handler: otherwise,
      errorHandler: judgeUnread(otherwise),
    });
  }
  server.setNotFoundHandler(otherwise);
  server.setErrorHandler(judgeUnread(otherwise));
  return server;
}

/**
 * Fastify refuses a content type that it can't parse before it reads the body. The handler shall judge both, in the
 * contract's order: an empty body needs no content type, so any will do.
 */
const judgeUnread =
  (handler: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>) =>
  async (error: Error & { code?: string }, request: FastifyRequest, reply: FastifyReply) => {
    if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE' || error.code === 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE') {
      const body = await wholeBody(request.raw);
      if (!body) return refuse(request, reply, malformedRequest());
      request.body = body;
      return handler(request, reply);
    }
    // The client went away while it sent its body: nobody is there to read an answer.
    if (request.raw.destroyed && !request.raw.complete) return refuse(request, reply, malformedRequest());
    log.error(events.failed, { error });
    return refuse(request, reply, new Problem('internal_error', 'The request failed for a reason that is not yours.'));
  };

/** The last request that came on a connection, and the answer to it. */
const lastExchange = new WeakMap<Socket, { request: IncomingMessage; response: ServerResponse }>();

const notATunnel = () => new Problem('route_not_found', 'This server opens no tunnels.');
const malformedRequest = () => new Problem('malformed_request', 'This is not a valid HTTP/1.1 request.');

const refuse = (request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply => {
  const { statusCode, headers, body } = problemAnswer(problem, request.id);
  return reply
    .code(statusCode)
    .headers(headers as Record<string, string>)
    .send(body);
};

/**
 * Reads a body up to one byte more than is allowed: the handler then sees that it is too large, in its turn, and the
 * rest is thrown away as it comes.
 */
function readBody(payload: IncomingMessage, done: (error: Error | null, body?: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let ended = false;
  const end = (error: Error | null) => {
    if (ended) return;
    ended = true;
    const [first] = chunks;
    const body = first && chunks.length === 1 ? first : Buffer.concat(chunks);
    done(error, error ? undefined : body.subarray(0, limits.requestBytes + 1));
  };
  payload.on('data', (chunk: Buffer) => {
    if (ended) return;
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > limits.requestBytes) end(null);
  });
  payload.on('end', () => end(null));
  payload.on('error', end);
  payload.on('close', () => {
    // An error costs more than reading a whole body does, and this is called after every one.
    if (!ended) end(new Error('The client went away'));
  });
}

/** The body as far as it is read; undefined when the client went away before its end. */
const wholeBody = (payload: IncomingMessage): Promise<Buffer | undefined> =>
  new Promise((resolve) => readBody(payload, (_error, body) => resolve(body)));

/** Answers what is no HTTP request at all, or came too slowly or with too many headers. */
async function refuseConnection(error: Error & { code?: string }, socket: Socket): Promise<void> {
  if (error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  // What breaks off behind a whole request has to wait until that is answered.
  const last = lastExchange.get(socket);
  if (last?.request.complete && !last.response.closed) await once(last.response, 'close');
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const problem = error instanceof Problem ? error : problemOfConnection(error.code);
  log.debug(events.connectionRefused, { code: problem.code });
  const { statusCode, headers, body } = problemAnswer(problem, randomUUID());
  const lines = Object.entries({ ...headers, connection: 'close', 'content-length': Buffer.byteLength(body) });
  socket.end(
    `HTTP/1.1 ${statusCode} ${problem.code}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  );
}

function problemOfConnection(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem('headers_too_large', `The request line and headers have more than ${headerBytes} bytes.`);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Problem('request_timeout', `The request took longer than ${requestTimeoutMs / 1_000} s to arrive.`);
  return malformedRequest();
}
