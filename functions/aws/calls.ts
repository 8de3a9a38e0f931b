/**
 * Settings of the AWS SDK's clients. DynamoDB and SQS respond within about 10 ms. A call that exceeds these timeouts
 * counts as an outage: the client gets a 503, or the write is parked if SQS is out, well before API Gateway times out
 * at 29 s.
 */
export const callSettings = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
} as const;

/**
 * The same for SQS. Calls go to the endpoint of the client and not to the host in the queue's URL. On AWS both are the
 * same; an emulator's URLs name an address that exists only inside its containers.
 */
export const queueCallSettings = { ...callSettings, useQueueUrlAsEndpoint: false } as const;
