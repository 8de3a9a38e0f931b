import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../statistics/quantiles.ts';

/** A request that a probe sends: a POST if there is a body, otherwise a GET. */
export interface ProbeRequest {
  /** The whole path, such as `/v1/health`. */
  path: string;
  body?: unknown;
}

/**
 * Sends the requests in turn, one every `everyMs`, until `isOver` returns true. It does not wait for responses, so a
 * server that stalls delays all requests of that time, as it does for independent clients.
 *
 * @returns the 99th percentile of the times from sending a request to its whole response, in milliseconds
 * @throws Error when a request failed or its response was an error
 */
export async function probe(
  origin: string,
  requests: [ProbeRequest, ...ProbeRequest[]],
  { everyMs, isOver }: { everyMs: number; isOver: () => boolean },
): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const pending: Promise<number>[] = [];
  const startedAt = performance.now();
  try {
    do {
      const next = requests[pending.length % requests.length] as ProbeRequest;
      const time = timeOf(origin, next, agent);
      // The error is thrown when the probe ends.
      time.catch(() => undefined);
      pending.push(time);
      await sleep(Math.max(startedAt + pending.length * everyMs - performance.now(), 0));
    } while (!isOver());
    return percentile(await Promise.all(pending), 99);
  } finally {
    agent.destroy();
  }
}

function timeOf(origin: string, { path, body }: ProbeRequest, agent: Agent): Promise<number> {
  const startedAt = performance.now();
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      `${origin}${path}`,
      {
        agent,
        method: text === undefined ? 'GET' : 'POST',
        ...(text !== undefined && {
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
        }),
      },
      (response) => {
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode = 0 } = response;
          if (statusCode < 300) resolve(performance.now() - startedAt);
          else reject(new Error(`${path} returned ${statusCode}`));
        });
        response.resume();
      },
    );
    sent.on('error', reject);
    sent.end(text);
  });
}
