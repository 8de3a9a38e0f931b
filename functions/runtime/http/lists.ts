import type { OperationId } from '../../../lib/api/routes.ts';

/** The parts of a valid request that choose a list. */
interface ListRequest {
  params?: object | undefined;
  query: { limit: number; cursor?: string | undefined };
}

/**
 * Returns everything that tells the list of a request from other lists, as cursors are bound to it: the operation, the
 * path and the query. Only `limit` and `cursor` choose a page of the same list; a new parameter is bound by default.
 */
export function listOf(id: OperationId, { params = {}, query }: ListRequest): unknown[] {
  const { limit: _limit, cursor: _cursor, ...filters } = query;
  return [id, params, filters];
}
