import type { Request } from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';

/**
 * The id of a request in its answer, in the records of what it wrote, and in every log line on the way: Lambda's own. API
 * Gateway's (`$context.requestId`) is not used, because a client can choose it with the header `X-Amzn-RequestId`, and
 * would then choose the id in our logs. The access log has both.
 */
export const requestIdOf = ({ context }: Pick<Request<APIGatewayProxyEvent>, 'context'>): string =>
  context.awsRequestId;
