/**
 * A line of the API's access log. The route is the pattern, so it holds no token; the caller is left out, as in the
 * functions' logs. `lambdaRequestId` is the `x-request-id` of an answer that a function gave, and the id in the functions'
 * logs. `requestId` is that of an answer which the gateway gave itself; a client can choose it.
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
