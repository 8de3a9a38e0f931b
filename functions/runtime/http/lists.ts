import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type * as z from 'zod/mini';
import type { Cursors } from '../../../lib/api/cursors.ts';
import { type OperationId, type Route, type Routes, routes } from '../../../lib/api/routes.ts';
import type { Holder } from '../../../lib/model/holder.ts';
import type { ApiEvent } from './validation.ts';

/** The operations whose pages have cursors. */
export type PagedOperation = {
  [Id in OperationId]: 'cursors' extends Routes[Id]['needs'][number] ? Id : never;
}[OperationId];

/** The parts of a valid request that select a list. */
interface ListRequest {
  params?: object | undefined;
  query: { limit: number; cursor?: string | undefined; after?: number | undefined };
  holder?: Holder | undefined;
}

/** Where a page begins. */
export interface PageStart<Position> {
  /** Identifies the list, for the cursor of the next page. */
  list: unknown[];
  /** Where the previous page ended; undefined on the first page. */
  from: Position | undefined;
}

/**
 * Returns what identifies the list of a request: the operation, the path and the query. Cursors are bound to it.
 * `limit` and `cursor` are left out, because they select a page of the same list; any new parameter is included.
 *
 * The list of an application's chats also depends on the chats of the access token. Their order in the token does not
 * matter.
 */
export function listOf(id: OperationId, { params = {}, query, holder }: ListRequest): unknown[] {
  const { limit: _limit, cursor: _cursor, ...filters } = query;
  const { allows }: Route = routes[id];
  const ownChats = allows === 'read' && !('chat_number' in params) ? holder?.chats : undefined;
  return [id, params, filters, ...(ownChats ? [[...new Set(ownChats)].sort((a, b) => a - b)] : [])];
}

/** The rules by which the cursors of an operation are checked. */
export interface CursorRules<Position extends z.ZodMiniType = z.ZodMiniType> {
  /** Returns what identifies the list of a request, as {@link listOf} does. */
  list: (id: OperationId, request: ListRequest) => unknown[];
  /** Returns the schema of the positions in the cursors of the list. */
  position: (query: ListRequest['query']) => Position;
}

/** Returns the rules for a list whose positions always have the same schema. */
export const inList = <Position extends z.ZodMiniType>(position: Position): CursorRules<Position> => ({
  list: listOf,
  position: () => position,
});

/**
 * Checks the cursor of a request, and adds a {@link PageStart} to the request. The check is part of validation, so it
 * runs before the checks whether the caller may read the list and whether its chat or application exists.
 */
export const pageStart = (
  id: OperationId,
  rules: CursorRules,
  cursors: Cursors,
): MiddlewareObj<APIGatewayProxyEvent> => ({
  before: async ({ event }) => {
    const { request } = event as ApiEvent<'listChats'>;
    const list = rules.list(id, request);
    const from = await cursors.decode(list, request.query.cursor, rules.position(request.query));
    Object.assign(request, { list, from } satisfies PageStart<unknown>);
  },
});
