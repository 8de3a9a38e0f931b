import { listOf } from '../../../functions/runtime/http/lists.ts';
import { type OperationId, type Route, routes } from '../../../lib/api/routes.ts';

/** Every operation of the route table. */
export const operations = Object.entries<Route>(routes) as [OperationId, Route][];

/** The names of a route's path parameters, and of its query parameters. */
export const paramsOf = ({ params }: Route): string[] => Object.keys(params?.().shape ?? {});
export const queryOf = ({ query }: Route): string[] => Object.keys(query?.().shape ?? {});

/** The operations whose pages go on behind a cursor. */
export const listing = operations.filter(([, route]) => queryOf(route).includes('cursor'));

/**
 * Values that a client may put where the system expects a number, as JSON: at and beyond every bound that 32 bits, a
 * double or SQLite has, and of every other type.
 */
export const extremes = [
  ...['0', '-1', '-0', '1.5', '2147483648', '4294967295', '4294967296', '4294967297', '9007199254740991'],
  ...['-9007199254740991', '9223372036854775807', '18446744073709551616', '1e400', '-1e400'],
  ...['"1"', '""', 'null', 'true', '[]', '[1]', '{}'],
];

/** What a list is told from others by, as the handler of a valid request sees it. */
export function listFor(id: OperationId, params: Record<string, string>, query: Record<string, string>): unknown[] {
  const { params: path, query: asked }: Route = routes[id];
  return listOf(id, {
    params: path?.().parse(params) as object | undefined,
    query: asked?.().parse(query) as { limit: number },
  });
}

/** What is in a cursor: its signature, and the members of its position. */
export function contentOf(cursor: string): [signature: string, ...position: (number | string)[]] {
  return JSON.parse(Buffer.from(cursor, 'base64url').toString());
}

/** The positions that differ from one in a single member, which is an extreme, as JSON without the brackets. */
export const extremePositions = (position: readonly (number | string)[]): string[] =>
  position.flatMap((_, at) =>
    extremes.map((extreme) => position.map((member, i) => (i === at ? extreme : JSON.stringify(member))).join(',')),
  );
