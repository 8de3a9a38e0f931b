import http from 'node:http';
import https from 'node:https';
import { Client, type ClientOptions, errors } from '@opensearch-project/opensearch';
import { limits } from '../../limits.ts';

/** Sockets that were idle for longer are not used again: the server, or a NAT on the way, may have dropped them. */
const idleMs = 30_000;

/** Statuses that say nothing about the request: no access (for now), no index (yet), too busy. */
const outageStatuses = new Set([401, 403, 404, 408, 429]);

/**
 * Opens a client; it connects at its first request, so this never fails.
 *
 * @param signing signs each request, where the cluster asks for that
 */
export const openOpensearch = (url: string, signing?: Pick<ClientOptions, 'Connection' | 'Transport'>): Client =>
  // The client retries what fails at once, such as a broken connection. Time limits are ours, see `withDeadline`.
  new Client({
    ...signing,
    node: url,
    maxRetries: 1,
    requestTimeout: limits.searchMs.work,
    agent: () => new (url.startsWith('https:') ? https : http).Agent({ keepAlive: true, timeout: idleMs }),
  });

/** Whether the cluster, or the connection to it, failed. Any other rejection is a bug on our side. */
export function isOpensearchOutage(error: unknown): boolean {
  if (!(error instanceof errors.ResponseError)) return error instanceof errors.OpenSearchClientError;
  const status = error.statusCode ?? 0;
  return status >= 500 || outageStatuses.has(status);
}

/** Returns the response, or aborts the request after `ms`. The client's own time limit is for each try. */
export async function withDeadline<Answer>(ms: number, request: Abortable<Answer>): Promise<Answer> {
  const timer = setTimeout(() => request.abort(), ms);
  try {
    return await request;
  } finally {
    clearTimeout(timer);
  }
}
type Abortable<Answer> = Promise<Answer> & { abort(): unknown };
