import { listOf } from '../../../functions/runtime/http/lists.ts';
import { type OperationId, type Route, routes } from '../../../lib/api/routes.ts';

/** Every operation of the route table. */
export const operations = Object.entries<Route>(routes) as [OperationId, Route][];

/** Returns the names of a route's path parameters. */
export const paramsOf = ({ params }: Route): string[] => Object.keys(params?.().shape ?? {});
/** Returns the names of a route's query parameters. */
export const queryOf = ({ query }: Route): string[] => Object.keys(query?.().shape ?? {});

/** The operations with pages that continue after a cursor. */
export const listing = operations.filter(([, route]) => queryOf(route).includes('cursor'));

/**
 * Values, as JSON, that a client may send where the system expects a number: at and beyond every bound of 32 bits, a
 * double and SQLite, and of every other type.
 */
export const extremes = [
  ...['0', '-1', '-0', '1.5', '2147483648', '4294967295', '4294967296', '4294967297', '9007199254740991'],
  ...['-9007199254740991', '9223372036854775807', '18446744073709551616', '1e400', '-1e400'],
  ...['"1"', '""', 'null', 'true', '[]', '[1]', '{}'],
];

/** Returns what identifies the list of a valid request. The handler binds the cursors of the list to it. */
export function listFor(id: OperationId, params: Record<string, string>, query: Record<string, string>): unknown[] {
  const { params: path, query: asked, tag }: Route = routes[id];
  const parsed = path?.().parse(params) as object | undefined;
  const given = asked?.().parse(query) as { limit: number };
  // Cursors of changes are also bound to the limit. Their `after` is not here, because their position contains it.
  return tag === 'changes' ? [id, parsed, given.limit] : listOf(id, { params: parsed, query: given });
}

/** Decodes a cursor: returns its signature, and the members of its position. */
export function decodedCursor(cursor: string): [signature: string, ...position: (number | string)[]] {
  return JSON.parse(Buffer.from(cursor, 'base64url').toString());
}

/** Returns the positions in which one member is replaced with an extreme value, as JSON without the brackets. */
export const extremePositions = (position: readonly (number | string)[]): string[] =>
  position.flatMap((_, at) =>
    extremes.map((extreme) => position.map((member, i) => (i === at ? extreme : JSON.stringify(member))).join(',')),
  );
