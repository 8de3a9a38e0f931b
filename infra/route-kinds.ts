import type { Route } from '../lib/api/routes.ts';

/** The request limit of each method of a route. */
export interface Throttle {
  /** The steady-state limit, in requests per second. */
  rate: number;
  /** The burst limit: the size of API Gateway's token bucket, in requests. */
  burst: number;
}

/** The kind of a route. Routes of a kind have the same limits, because their requests cost about the same. */
export type RouteKind = 'write' | 'read' | 'search' | 'registry' | 'service';

/**
 * Returns the kind of a route. `registry`: creates or lists applications, which may require the admin key. `service`:
 * uses no ledger, SQL or search. A route that needs only the feed (the console) counts as `service`, because it only
 * reads the address of the feed.
 */
export function kindOf({ admin, needs, method }: Route): RouteKind {
  if (admin) return 'registry';
  if (needs.every((need) => need === 'feed')) return 'service';
  if (needs.includes('searchIndex')) return 'search';
  return method === 'GET' ? 'read' : 'write';
}
