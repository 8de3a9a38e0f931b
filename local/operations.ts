import type { HttpHandler } from '../functions/runtime/http.ts';
import type { Services } from '../functions/runtime/services.ts';
import { type OperationId, operationFile, routes } from '../lib/api/routes.ts';

/** Loads the handler of every route of the table, given the services. */
export async function loadOperations(
  services: Services & { adminKey: string | undefined },
): Promise<Map<OperationId, HttpHandler>> {
  const operations = new Map<OperationId, HttpHandler>();
  for (const id of Object.keys(routes) as OperationId[]) {
    const module: Record<string, (services: unknown) => HttpHandler> = await import(
      `../functions/api/${operationFile(id)}.ts`
    );
    const operation = module[id];
    if (!operation) throw new Error(`functions/api/${operationFile(id)}.ts has no ${id}`);
    operations.set(id, operation(services));
  }
  return operations;
}
