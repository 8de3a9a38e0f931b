import type { MiddlewareObj, Request } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Document } from '../../../lib/api/documents.ts';
import { etagOf, isNamed } from '../../../lib/api/etags.ts';
import type { EventStream } from '../../../lib/api/feed.ts';
import { commonHeaders, privateResponse, problemHeaders, publicDocument, streamed } from '../../../lib/api/headers.ts';
import { internalError, Problem, problemOf } from '../../../lib/api/problems.ts';
import type { Route } from '../../../lib/api/routes.ts';
import { DomainError, TooLong, Unavailable } from '../../../lib/model/errors.ts';
import { log, logEvents } from '../observe/log.ts';
import { compressed, isCompressible, takesCompressed } from './content-coding.ts';
import { requestIdOf } from './request-id.ts';

/** What an operation returns: a value for JSON, a ready document, or a stream. The status is in the route table. */
export interface OperationResult {
  json?: unknown;
  document?: Document;
  stream?: EventStream;
  headers?: Record<string, string>;
}

/**
 * The key under which a result has the body as bytes. All responses with the same document share these bytes. A host
 * that can send bytes uses them instead of `body`. It is a symbol because Lambda writes results as JSON, which leaves
 * symbols out, and API Gateway refuses members that it does not know.
 */
export const sharedBody = Symbol('sharedBody');

/** The key under which a result has the stream that follows its head. Only the embedded host can send one. */
export const eventStream = Symbol('eventStream');

/**
 * The key under which the context of a request says that the host logs each response itself, because it also knows how
 * long the request took. It is a symbol so that no context of Lambda can have it.
 */
export const loggedByHost = Symbol('loggedByHost');

/** A proxy result for API Gateway, with additional members for the embedded host. */
export interface HttpResult extends APIGatewayProxyResult {
  [sharedBody]?: Buffer;
  [eventStream]?: EventStream;
}

/** Returns the result for a problem. */
export function problemResponse(problem: Problem, requestId: string): HttpResult {
  const body = JSON.stringify(problem.toJSON(requestId));
  return {
    statusCode: problem.status,
    headers: { ...problemHeaders, ...varyOf(body), 'x-request-id': requestId, ...problem.headers },
    body,
  };
}

/** Returns the `Vary` of a response with this body, or of a 304 in its place. */
const varyOf = (body: string): Record<string, string> => (isCompressible(body) ? { vary: 'accept-encoding' } : {});

/** Returns whether to compress the body of a result. A document is already encoded. */
const isToCompress = (result: HttpResult, { headers }: APIGatewayProxyEvent): boolean =>
  result[sharedBody] === undefined && isCompressible(result.body) && takesCompressed(headers);

/** Returns the result with its body compressed. */
const withCompressedBody = async (result: HttpResult): Promise<HttpResult> => ({
  ...result,
  headers: { ...result.headers, 'content-encoding': 'gzip' },
  body: await compressed(result.body),
  isBase64Encoded: true,
});

/** Returns the result for what the operation returned. */
function resultOf(route: Route, result: OperationResult, event: APIGatewayProxyEvent): HttpResult {
  const { json, document, stream, headers } = result;
  const statusCode = route.response.status;
  if (stream) return { statusCode, headers: { ...commonHeaders, ...streamed }, body: '', [eventStream]: stream };
  const ifNoneMatch = event.headers['if-none-match'];
  if (document) {
    const shared = { ...commonHeaders, ...publicDocument, ...document.headers, etag: document.etag };
    if (isNamed(ifNoneMatch, document.etag)) return { statusCode: 304, headers: shared, body: '' };
    return documentResult(statusCode, document, shared, takesCompressed(event.headers));
  }
  const body = json === undefined ? '' : JSON.stringify(json);
  const plain = {
    statusCode,
    headers: {
      ...commonHeaders,
      ...privateResponse,
      ...(body && { 'content-type': 'application/json' }),
      ...varyOf(body),
      ...headers,
    },
    body,
  };
  if (!route.etag) return plain;
  const etag = etagOf(body);
  const tagged = { ...plain, headers: { ...plain.headers, etag } };
  return isNamed(ifNoneMatch, etag) ? { ...tagged, statusCode: 304, body: '' } : tagged;
}

function documentResult(
  statusCode: number,
  { contentType, plain, gzipped }: Document,
  shared: Record<string, string>,
  isCompressed: boolean,
): HttpResult {
  const bytes = isCompressed ? gzipped : plain;
  return {
    statusCode,
    headers: { ...shared, 'content-type': contentType, ...(isCompressed && { 'content-encoding': 'gzip' }) },
    // Only API Gateway needs the body as text, and decodes Base64. It is a getter so that a host that uses the bytes
    // never pays for it.
    get body() {
      return bytes.toString(isCompressed ? 'base64' : 'utf8');
    },
    isBase64Encoded: isCompressed,
    [sharedBody]: bytes,
  };
}

/** Maps any error to a client-facing problem. Unexpected errors become `internal_error` and are logged. */
export function problemFor(error: unknown, requestId: string): Problem {
  const problem = expectedProblem(error);
  if (!problem) {
    log.error(logEvents.failed, { request_id: requestId, error: error as Error });
    return internalError();
  }
  if (problem.status >= 500) log.error(logEvents.unavailable, { request_id: requestId, error: problem.cause as Error });
  return problem;
}

function expectedProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof DomainError) return problemOf(error);
  // middy throws it when the function runs out of time. The operation may still have been applied.
  if (error instanceof Error && error.name === 'TimeoutError') return problemOf(new Unavailable(error));
  return undefined;
}

/** Turns what the operation returned, or the error that ended it, into the proxy result. */
export function proxyResult(route: Route): MiddlewareObj<APIGatewayProxyEvent> {
  const finish = (request: Request<APIGatewayProxyEvent>, result: HttpResult, requestId: string) => {
    if (!(loggedByHost in request.context)) {
      const line = {
        request_id: requestId,
        status: result.statusCode,
        route: `${request.event.httpMethod} ${route.path}`,
      };
      log.debug(logEvents.responded, line);
    }
    request.response = result;
    if (!isToCompress(result, request.event)) return undefined;
    return withCompressedBody(result).then((smaller) => {
      request.response = smaller;
    });
  };
  return {
    after: (request) => {
      const requestId = requestIdOf(request);
      const result = resultOf(route, request.response as OperationResult, request.event);
      Object.assign(result.headers as object, { 'x-request-id': requestId });
      return finish(request, result, requestId);
    },
    onError: (request) => {
      // Without a response, middy throws the error to the host, which handles it.
      if (request.error instanceof TooLong) return undefined;
      const requestId = requestIdOf(request);
      return finish(request, problemResponse(problemFor(request.error, requestId), requestId), requestId);
    },
  };
}
