import type { Request } from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { isRequestId } from '../../lib/request-id.ts';

/**
 * The id that a request is told by in its answer, in the records of what it wrote, and in every log on the way. It is API
 * Gateway's; but that takes up to 128 characters from a client's header `X-Amzn-RequestId` instead of its own
 * (`$context.requestId`, "clients can override"), so what does not look like one of ours gives way to Lambda's own id.
 */
export function requestIdOf({ event, context }: Pick<Request<APIGatewayProxyEvent>, 'event' | 'context'>): string {
  // Validation has asked before.
  const { request } = event as { request?: { requestId: string } };
  if (request) return request.requestId;
  const { requestId } = event.requestContext;
  return isRequestId(requestId) ? requestId : context.awsRequestId;
}
