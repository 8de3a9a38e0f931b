import type { OperationId } from '../../../lib/api/routes.ts';

/** The parts of a valid request that select a list. */
interface ListRequest {
  params?: object | undefined;
  query: { limit: number; cursor?: string | undefined };
}

/**
 * Returns what identifies the list of a request: the operation, the path and the query. Cursors are bound to it.
 * `limit` and `cursor` are left out, because they select a page of the same list; any new parameter is included.
 */
export function listOf(id: OperationId, { params = {}, query }: ListRequest): unknown[] {
  const { limit: _limit, cursor: _cursor, ...filters } = query;
  return [id, params, filters];
}
