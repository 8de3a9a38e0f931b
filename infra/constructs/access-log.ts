/**
 * The fields of a line in the API's access log. `route` is the path pattern, so the log contains no token. Nothing
 * identifies the caller, as in the logs of functions. `lambdaRequestId` is the `x-request-id` of responses that a
 * function returned, and the id in the logs of functions. `requestId` is the `x-request-id` of responses that API
 * Gateway returned itself; a client can choose it.
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
  /** The type of the response if API Gateway returned it itself, such as `THROTTLED`. */
  gatewayResponseType: '$context.error.responseType',
};
