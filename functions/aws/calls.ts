/**
 * How the AWS SDK's clients call. Both services answer within some 10 ms; what takes longer than this is out, and a
 * writer is told so (or, for SQS, its write is parked) well before API Gateway gives up at 29 s.
 */
export const callSettings = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
} as const;

/**
 * The same for SQS: calls go where all others do, not to the host in the queue's URL. On AWS that is the same one; an
 * emulator's URLs name an address that holds inside its containers.
 */
export const queueCallSettings = { ...callSettings, useQueueUrlAsEndpoint: false } as const;
