import http from 'node:http';
import https from 'node:https';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/**
 * Settings of the AWS SDK's clients. DynamoDB and SQS respond within about 10 ms. A call that exceeds these timeouts
 * counts as an outage: the client gets a 503, or the write is parked if SQS is unavailable, well before API Gateway
 * times out at 29 s.
 */
export const callSettings = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
} as const;

/**
 * Settings for SQS only. Calls go to the endpoint of the client and not to the host in the queue's URL. On AWS both are
 * the same; an emulator's URLs name an address that exists only inside its containers.
 */
export const queueCallSettings = { useQueueUrlAsEndpoint: false } as const;

/**
 * A connection that was unused for longer than this, in milliseconds, is not used again. While Lambda freezes a
 * function, the service or a NAT may drop its connections. The function notices only when its next call fails with
 * ECONNRESET (https://github.com/aws/aws-sdk-js-v3/issues/1196). The outcome of such a call is unknown. If the call
 * assigns a number, the ledger cannot repeat the call, so the first request after a pause would get a 503. A new
 * connection takes some 10 ms.
 */
const idleMs = 10_000;

/** Like the agents that the SDK would create. */
const agentOptions = { keepAlive: true, maxSockets: 50 };

/**
 * Creates a client that does not use a connection again after it was idle for `idleMs`.
 *
 * @param create creates the client with these settings, which are `callSettings` with agents
 */
export function openClient<Client extends { middlewareStack: object }>(
  create: (settings: { maxAttempts: number; requestHandler: object }) => Client,
): Client {
  const agents = { httpAgent: new http.Agent(agentOptions), httpsAgent: new https.Agent(agentOptions) };
  const client = create({ ...callSettings, requestHandler: { ...callSettings.requestHandler, ...agents } });
  let lastCall = Date.now();
  const closeIdle = () => {
    // The system's clock, because a monotonic one may stop while Lambda freezes the function. A step of the clock only
    // costs a new connection.
    const now = Date.now();
    if (Math.abs(now - lastCall) > idleMs)
      for (const { freeSockets } of Object.values(agents))
        for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
    lastCall = now;
  };
  // The types of the clients differ only in what their middleware passes on, which is not used here.
  (client as unknown as DynamoDBClient).middlewareStack.add(
    (next) => (args) => {
      closeIdle();
      return next(args);
    },
    { step: 'initialize', name: 'closeIdleConnections' },
  );
  return client;
}
