import { createHash } from 'node:crypto';
import type { MiddlewareObj, Request } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { commonHeaders } from '../../lib/api/headers.ts';
import { Problem, unavailable } from '../../lib/api/problems.ts';
import type { Route } from '../../lib/api/routes.ts';
import { events, log } from './log.ts';
import { requestIdOf } from './request-id.ts';

/** What an operation answers: a value for JSON, or ready HTML; the status stands in the route table. */
export interface Answer {
  json?: unknown;
  html?: string;
  headers?: Record<string, string>;
}

/** The answer for a problem. */
export function problemAnswer(problem: Problem, requestId: string): APIGatewayProxyResult {
  return {
    statusCode: problem.status,
    headers: {
      ...commonHeaders,
      'x-request-id': requestId,
      'content-type': 'application/problem+json',
      ...problem.headers,
    },
    body: JSON.stringify(problem.toJSON(requestId)),
  };
}

const etagOf = (body: string): string => `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;

const holds = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch?.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^(W\/)?/, 'W/') === etag) ?? false;

/** Any error as the problem the client gets; what is not one already is ours to mend, and is logged. */
function problemOf(error: unknown, requestId: string): Problem {
  // middy's own, when the function runs out of time: the work may be done all the same.
  const problem = error instanceof Error && error.name === 'TimeoutError' ? unavailable(error) : error;
  if (problem instanceof Problem) {
    if (problem.status >= 500) log.error(events.unavailable, { request_id: requestId, error: problem.cause as Error });
    return problem;
  }
  log.error(events.failed, { request_id: requestId, error: error as Error });
  return new Problem('internal_error', 'The request failed for a reason that is not yours; we have logged it.');
}

/** Turns what the operation answers, or the error that ended it, into the proxy result. */
export function answering(route: Route): MiddlewareObj<APIGatewayProxyEvent> {
  const settle = (request: Request<APIGatewayProxyEvent>, result: APIGatewayProxyResult, requestId: string) => {
    request.response = result;
    const line = {
      request_id: requestId,
      status: result.statusCode,
      route: `${request.event.httpMethod} ${route.path}`,
    };
    log.debug(events.answered, line);
  };
  return {
    after: async (request) => {
      const { event } = request;
      const requestId = requestIdOf(request);
      const { json, html, headers } = request.response as Answer;
      const body = html ?? (json === undefined ? '' : JSON.stringify(json));
      const result: APIGatewayProxyResult = {
        statusCode: route.answer.status,
        headers: {
          ...commonHeaders,
          'x-request-id': requestId,
          ...(body && { 'content-type': html ? 'text/html; charset=utf-8' : 'application/json' }),
          ...headers,
        },
        body,
      };
      if (route.etag) {
        const etag = etagOf(body);
        Object.assign(result.headers as object, { etag });
        if (holds(event.headers['if-none-match'], etag)) Object.assign(result, { statusCode: 304, body: '' });
      }
      settle(request, result, requestId);
    },
    onError: async (request) => {
      const requestId = requestIdOf(request);
      settle(request, problemAnswer(problemOf(request.error, requestId), requestId), requestId);
    },
  };
}
