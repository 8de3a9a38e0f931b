import type { HttpHandler } from '../functions/runtime/http/operation.ts';
import type { ReadServices } from '../functions/runtime/services.ts';
import { type OperationId, operationFile, type Route, routes } from '../lib/api/routes.ts';

const operationIds = Object.keys(routes) as OperationId[];

/** The reads that return a page: lists and searches. Their work grows with the data, so they can be slow. */
export const pagedReads: OperationId[] = operationIds.filter((id) => {
  const { method, needs }: Route = routes[id];
  return method === 'GET' && needs.includes('cursors');
});

type SomeServices = Partial<ReadServices> & { adminKey: string | undefined };

/** Loads the handler of one route, given the services that the route needs. */
export async function loadOperation(id: OperationId, services: SomeServices): Promise<HttpHandler> {
  const module: Record<string, (services: unknown) => HttpHandler> = await import(
    `../functions/api/${operationFile(id)}.ts`
  );
  const operation = module[id];
  if (!operation) throw new Error(`functions/api/${operationFile(id)}.ts has no ${id}`);
  return operation(services);
}

/**
 * Loads the handlers of all routes of the table.
 *
 * @param elsewhere handlers that are used instead, for routes that run in another process
 */
export async function loadOperations(
  services: SomeServices,
  elsewhere: ReadonlyMap<OperationId, HttpHandler> = new Map(),
): Promise<Map<OperationId, HttpHandler>> {
  const operations = new Map<OperationId, HttpHandler>();
  for (const id of operationIds) operations.set(id, elsewhere.get(id) ?? (await loadOperation(id, services)));
  return operations;
}
