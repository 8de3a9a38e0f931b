import http from 'node:http';
import https from 'node:https';
import { Client, type ClientOptions, errors } from '@opensearch-project/opensearch';
import { limits } from '../../limits.ts';

/**
 * Milliseconds after which an idle socket is not reused, because the server or a NAT in between may have dropped it.
 */
const idleMs = 30_000;

/** Statuses whose cause is not the request: no access (for now), no index (yet), too busy. */
const outageStatuses = new Set([401, 403, 404, 408, 429]);

/**
 * Opens a client; it connects at its first request, so this never fails.
 *
 * @param signing signs each request, when the cluster requires it
 */
export const openOpensearch = (url: string, signing?: Pick<ClientOptions, 'Connection' | 'Transport'>): Client =>
  // The client retries immediate failures such as a broken connection. `withDeadline` limits the total time.
  new Client({
    ...signing,
    node: url,
    maxRetries: 1,
    requestTimeout: limits.searchMs.work,
    agent: () => new (url.startsWith('https:') ? https : http).Agent({ keepAlive: true, timeout: idleMs }),
  });

/** Returns whether the cluster, or the connection to it, failed. Any other rejection is a bug on our side. */
export function isOpensearchOutage(error: unknown): boolean {
  if (!(error instanceof errors.ResponseError)) return error instanceof errors.OpenSearchClientError;
  const status = error.statusCode ?? 0;
  return status >= 500 || outageStatuses.has(status);
}

/**
 * Returns the response, or aborts the request after `ms` milliseconds. The client's own timeout is for each attempt.
 */
export async function withDeadline<Result>(ms: number, request: Abortable<Result>): Promise<Result> {
  const timer = setTimeout(() => request.abort(), ms);
  try {
    return await request;
  } finally {
    clearTimeout(timer);
  }
}
type Abortable<Result> = Promise<Result> & { abort(): unknown };
