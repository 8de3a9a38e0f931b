/**
 * A line of the API's access log. The route is the pattern, so it holds no token; who called is left out, as in the
 * functions' logs. `requestId` is the `x-request-id` of the answer, under which the functions log, too; where a client
 * chose one that is not a UUID, `lambdaRequestId` is.
 */
export const accessLogFields = {
  requestId: '$context.requestId',
  lambdaRequestId: '$context.integration.requestId',
  time: '$context.requestTimeEpoch',
  method: '$context.httpMethod',
  route: '$context.resourcePath',
  status: '$context.status',
  responseBytes: '$context.responseLength',
  latencyMs: '$context.responseLatency',
  integrationLatencyMs: '$context.integrationLatency',
  integrationStatus: '$context.integrationStatus',
  /** What the gateway itself answered, and why: `THROTTLED`. */
  gatewayAnswer: '$context.error.responseType',
};
