import middy from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type * as z from 'zod/mini';
import type { Access } from '../../../lib/access/access.ts';
import type { Cursors } from '../../../lib/api/cursors.ts';
import { accessTokenInvalid } from '../../../lib/api/problems.ts';
import { acceptsWrites, type OperationId, type Route, routes } from '../../../lib/api/routes.ts';
import { limits } from '../../../lib/limits.ts';
import { NotFound } from '../../../lib/model/errors.ts';
import type { LambdaHandler } from '../lambda.ts';
import type { ServicesOf } from '../services.ts';
import { acceptanceReport } from './acceptance-report.ts';
import { admission } from './admission.ts';
import { bodyValues } from './body-values.ts';
import type { ResponseOf } from './documented-response.ts';
import { jsonBody } from './json-body.ts';
import { type CursorRules, type PagedOperation, type PageStart, pageStart } from './lists.ts';
import { permission } from './permission.ts';
import { type HttpResult, proxyResult } from './proxy-result.ts';
import { requestHeaders } from './request-headers.ts';
import { type ApiEvent, type ApiRequest, validation } from './validation.ts';

export type HttpHandler = LambdaHandler<APIGatewayProxyEvent, HttpResult>;

/**
 * Makes the Lambda handler of an operation, for API Gateway proxy events. A request is checked in the contract's
 * order: admin key or access token, content type, size, JSON, validation, permission. Then `run` does the work. It
 * receives the request as the route's schemas parsed it, and only the services that the route needs. It must return
 * exactly the documented response: an extra or missing member is a type error.
 *
 * An operation that returns a page with a cursor is made with {@link pagedOperation}.
 */
export const operation =
  <Id extends OperationId, Json>(id: Id, run: Run<Id, ApiRequest<Id>, Json>) =>
  (services: ServicesOf<Id>): HttpHandler =>
    handlerOf(id, { run, services });

/**
 * Makes the handler of an operation that returns a page of a list. Its cursor is checked together with the rest of the
 * request, and `run` also receives where the page begins.
 */
export const pagedOperation =
  <Id extends PagedOperation, Position extends z.ZodMiniType, Json>(
    id: Id,
    cursorRules: CursorRules<Position>,
    run: Run<Id, ApiRequest<Id> & PageStart<z.output<Position>>, Json>,
  ) =>
  (services: ServicesOf<Id>): HttpHandler =>
    handlerOf(id, { run, services, cursorRules });

type Run<Id extends OperationId, Request, Json> = (
  request: Request,
  services: ServicesOf<Id>,
) => Promise<ResponseOf<Id, Json>>;

/**
 * Throws the error of a request with a bearer token. If the application is not found, it was deleted after the token
 * was checked, so the token is not valid any more.
 */
function refuseDeleted(error: unknown): never {
  throw error instanceof NotFound && error.missing[0] === 'application' ? accessTokenInvalid() : error;
}

function handlerOf<Id extends OperationId, Request extends ApiRequest<Id>, Json>(
  id: Id,
  parts: { run: Run<Id, Request, Json>; services: ServicesOf<Id>; cursorRules?: CursorRules },
): HttpHandler {
  const { run, services, cursorRules } = parts;
  const route: Route = routes[id];
  const { access, cursors } = services as { access?: Access; cursors?: Cursors };
  const stack = middy({ timeoutEarlyInMillis: limits.timeoutEarlyMs })
    .use(proxyResult(route))
    .use(requestHeaders())
    .use(admission(route, services.adminKey, access))
    .use(bodyValues(route))
    .use(jsonBody(route))
    .use(validation(id, route, services.adminKey))
    .use(cursorRules && cursors ? pageStart(id, cursorRules, cursors) : [])
    .use(permission(route))
    .handler((event) => {
      const { request, caller } = event as unknown as ApiEvent<Id>;
      const result = run(request as Request, services);
      return caller ? result.catch(refuseDeleted) : result;
    });
  if (services.report && acceptsWrites(route)) stack.use(acceptanceReport(services.report));
  return stack as unknown as HttpHandler;
}
