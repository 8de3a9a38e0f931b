import middy from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { type OperationId, type Route, routes } from '../../../lib/api/routes.ts';
import { limits } from '../../../lib/limits.ts';
import type { LambdaHandler } from '../lambda.ts';
import type { ServicesOf } from '../services.ts';
import { accepting } from './accepting.ts';
import { admission } from './admission.ts';
import { answering, type HttpResult } from './answering.ts';
import { bodyValues } from './body-values.ts';
import type { ResponseOf } from './documented-response.ts';
import { jsonBody } from './json-body.ts';
import { requestHeaders } from './request-headers.ts';
import { type ApiEvent, type ApiRequest, validation } from './validation.ts';

export type HttpHandler = LambdaHandler<APIGatewayProxyEvent, HttpResult>;

/**
 * Makes the Lambda handler of an operation, for API Gateway proxy events. A request is checked in the contract's
 * order: admin key, content type, size, JSON, validation. Then `run` does the work. It receives the request as the
 * route's schemas parsed it, and only the services that the route needs. It must return exactly the documented
 * response: an extra or missing member is a type error.
 */
export const operation =
  <Id extends OperationId, Json>(
    id: Id,
    run: (request: ApiRequest<Id>, services: ServicesOf<Id>) => Promise<ResponseOf<Id, Json>>,
  ) =>
  (services: ServicesOf<Id>): HttpHandler => {
    const route: Route = routes[id];
    const stack = middy({ timeoutEarlyInMillis: limits.timeoutEarlyMs })
      .use(answering(route))
      .use(requestHeaders())
      .use(admission(route, services.adminKey))
      .use(bodyValues(route))
      .use(jsonBody(route))
      .use(validation(id, route, services.adminKey))
      .handler((event) => run((event as unknown as ApiEvent<Id>).request, services));
    if (services.report) stack.use(accepting(services.report));
    return stack as unknown as HttpHandler;
  };
