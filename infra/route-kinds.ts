import type { Route } from '../lib/api/routes.ts';

/** How often each method of a route may be called. */
export interface Throttle {
  /** Requests a second, in the long run. */
  rate: number;
  /** Requests at once. */
  burst: number;
}

/** What a route is for those who limit it: what it costs behind the API. */
export type RouteKind = 'write' | 'read' | 'search' | 'registry' | 'service';

/** `registry`: what operators do; `service`: what asks nothing of ledger, SQL or search. */
export function kindOf({ admin, needs, method }: Route): RouteKind {
  if (admin) return 'registry';
  if (needs.length === 0) return 'service';
  if (needs.includes('searchIndex')) return 'search';
  return method === 'GET' ? 'read' : 'write';
}
