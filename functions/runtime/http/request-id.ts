import type { Request } from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';

/**
 * Returns the id of a request, which is in its response, in the records of its writes, and in every log line about it.
 * It is Lambda's own id. API Gateway's (`$context.requestId`) is not used, because a client can choose it with the
 * header `X-Amzn-RequestId` and would then choose the id in our logs. The access log has both.
 */
export const requestIdOf = ({ context }: Pick<Request<APIGatewayProxyEvent>, 'context'>): string =>
  context.awsRequestId;
